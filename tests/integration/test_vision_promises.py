"""What a camera's settings promise, kept by a real child over RTSP: its budget, its rests, and its two streams."""

import io
import time
from pathlib import Path

import av
import pytest
from vision_bench import House, built, cut_clip, passages, until, yunet_file

from gateway.events import CameraFault
from gateway.settings import CameraSettings, EvidenceSettings
from gateway.simulators.camera import SimulatedCamera
from gateway.wire import CameraStatus
from gateway.workers import Workers

BUDGET = 4.0
# Somebody else leaves, 0.5 s of an empty gate, and the listed person comes in until the face is 36 px high.
WALK = (250, 320)


def joined(target: Path, *scenes: tuple[str, int]) -> Path:
    """The first pictures of some scenes of one encoder, one behind the other, copied without encoding."""
    with av.open(str(target), "w") as output:
        out, shift = None, 0
        for name, last in scenes:
            with av.open(str(built(name))) as source:
                stream = source.streams.video[0]
                out = out or output.add_stream_from_template(stream)
                step = 0
                for number, packet in enumerate(source.demux(stream)):
                    if packet.pts is None or packet.dts is None or number > last:
                        continue
                    step = max(step, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, out
                    output.mux(packet)
                shift += step
    return target


def status(workers: Workers) -> CameraStatus:
    found = workers.cameras()[0].status
    return found if found is not None else CameraStatus(camera="", state="")


async def test_a_camera_keeps_its_budget_rests_when_it_is_still_and_wakes_when_somebody_comes(tmp_path: Path) -> None:
    recording = joined(tmp_path / "yard.mp4", ("empty-640x360.mp4", 200), ("gate-640x360.mp4", 135))
    house = House()
    async with house.open(tmp_path / "models", yunet_file(), still_seconds=1.5) as workers:
        await house.enrol(workers, "listed", "biden")
        async with SimulatedCamera(recording) as camera:
            await workers.assign(
                CameraSettings(id="cam-01", url=camera.rtsp_url, watch_faces=True, looks_per_second=BUDGET)
            )
            await until(lambda: status(workers).frames_looked > 0)
            # Backlog is looked at behind the budget, so that is taken before the first rest.
            first, begun = status(workers).frames_looked, time.monotonic()
            await until(lambda: status(workers).resting)
            looks, passed = status(workers).frames_looked - first, time.monotonic() - begun
            rested = status(workers).frames_rested
            await until(lambda: status(workers).frames_rested > rested + 20)
            await until(lambda: house.matches and not status(workers).resting)
    # One look may be made up for, and what is told is as old as a heartbeat.
    assert 0 < looks <= 1.1 * BUDGET * passed + 2


@pytest.fixture
def two_streams(tmp_path: Path) -> tuple[Path, Path]:
    """Sub and main stream of the same walk."""
    return (
        cut_clip(built("gate-640x360.mp4"), tmp_path / "sub.mp4", *WALK),
        cut_clip(built("gate-1280x720.mp4"), tmp_path / "main.mp4", *WALK),
    )


async def test_a_sub_stream_is_looked_at_and_faces_and_clips_are_of_the_main_one(
    tmp_path: Path, two_streams: tuple[Path, Path]
) -> None:
    evidence = EvidenceSettings(clip_before_seconds=1, clip_after_seconds=1)
    house = House()
    async with house.open(tmp_path / "models", yunet_file(), evidence=evidence) as workers:
        await house.enrol(workers, "listed", "obama")
        async with SimulatedCamera(two_streams[0]) as sub:
            async with SimulatedCamera(two_streams[1]) as main:
                entry = CameraSettings(id="cam-01", url=main.rtsp_url, sub_url=sub.rtsp_url, watch_faces=True)
                await workers.assign(entry)
                await until(lambda: any(match.face_height > 1.5 * highest_in_sub_stream() for match in house.matches))
                await until(lambda: any(piece.last for piece in house.pieces))
                now = status(workers)
            await until(lambda: status(workers).main_state == "lost")
            await until(lambda: [each.state for each in house.events if isinstance(each, CameraFault)])
            assert status(workers).state == "live"
    assert [each.state for each in house.events if isinstance(each, CameraFault)] == ["main_stream_lost"]
    assert (now.width, now.main_state) == (640, "live")
    assert 0 < now.main_frames < now.frames_seen
    assert now.main_decode_ms > 0
    clip = b"".join(piece.data for piece in house.pieces if piece.evidence == house.pieces[0].evidence)
    with av.open(io.BytesIO(clip), "r") as container:
        assert next(container.decode(video=0)).width == 1280


def highest_in_sub_stream() -> float:
    """The height (px) to which the listed face gets in the sub-stream."""
    shown = range(WALK[0], WALK[1] + 1)
    boxes = [each["boxes"] for each in passages("gate-640x360") if each["person"] == "obama"]
    return max(
        float(box[3]) for found in boxes if isinstance(found, dict) for at, box in found.items() if int(at) in shown
    )
