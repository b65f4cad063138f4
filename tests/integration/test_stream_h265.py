"""H.265 over RTSP: looked at, kept, matched and given as a clip, whatever the camera does with its parameter sets."""

import io
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from threading import Event

import anyio.to_thread
import av
import pytest
from fixtures_recordings import write_recording
from vision_bench import House, built, cut_clip, until, yunet_file

from gateway.clock import SystemClock
from gateway.settings import CameraSettings, EvidenceSettings
from gateway.simulators.camera import Ports, SimulatedCamera
from gateway.streams import Backoff, ClipFollower, Frame, PacketRing, StreamLive, StreamSource, VideoStream

GROUP = 50
WALK = (285, 420)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Groups of two seconds: longer than opening waits for parameter sets."""
    return write_recording(tmp_path_factory.mktemp("h265") / "main.mp4", frames=100, group=GROUP, codec="hevc")


def opened(url: str, ring: PacketRing | None = None) -> VideoStream:
    source = StreamSource(url=url, open_timeout_seconds=3, read_timeout_seconds=3)
    return VideoStream(source, clock=SystemClock(), ring=ring, backoff=Backoff(lambda low, high: 0.02))


def wait_until(stream: VideoStream, ready: Callable[[], bool]) -> list[Frame]:
    frames: list[Frame] = []
    end = time.monotonic() + 20
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"it did not come to that; the state is {stream.state}")
        found = stream.next(0.1)
        frames += [found] if isinstance(found, Frame) else []
    return frames


def clip_of(ring: PacketRing) -> tuple[bytes, ClipFollower]:
    """All that the ring holds, as the vision child writes it."""
    stop = Event()
    now = time.monotonic()
    follower = ClipFollower(ring, at=now, before=60, after=0, stop=stop, now=lambda: now + 10)
    return b"".join(each.mp4 for each in follower.fragments()), follower


@pytest.mark.parametrize(
    "quirks",
    [
        (),
        ("sets-in-stream",),
        ("sets-in-description",),
        ("waits-for-keyframe",),
        ("sets-in-stream", "waits-for-keyframe"),
    ],
    ids=lambda quirks: "+".join(quirks) or "plain",
)
async def test_item_16_h265_is_looked_at_and_its_clip_plays(recording: Path, quirks: tuple[str, ...]) -> None:
    ring = PacketRing()
    async with SimulatedCamera(recording, quirks=quirks) as camera:

        def look() -> None:
            with opened(camera.rtsp_url, ring) as stream:
                frames = wait_until(stream, lambda: ring.seconds > 2.2)
                state, counters = stream.state, stream.counters
            assert isinstance(state, StreamLive)
            assert (state.width, state.height, state.codec) == (192, 108, "hevc")
            assert (counters.corrupt, counters.losses) == (0, 0)
            assert frames

        await anyio.to_thread.run_sync(look)
    clip, follower = clip_of(ring)
    with av.open(io.BytesIO(clip), "r") as container:
        video = container.streams.video[0]
        assert (video.codec_context.codec_tag, video.width, video.height) == ("hvc1", 192, 108)
        packets = [packet for packet in container.demux(video) if packet.size]
        assert len(packets) > GROUP
    with av.open(io.BytesIO(clip), "r") as container:
        assert len(list(container.decode(video=0))) == len(packets)
    assert follower.codecs.startswith("hvc1.1.6.L")


@pytest.mark.parametrize("codecs", [("hevc", "h264"), ("h264", "hevc")])
async def test_item_17_a_stream_that_changes_its_codec_is_opened_anew_and_clips_keep_apart(
    tmp_path: Path, codecs: tuple[str, str]
) -> None:
    first, second = (write_recording(tmp_path / f"{codec}.mp4", frames=50, group=10, codec=codec) for codec in codecs)
    ring = PacketRing()
    async with SimulatedCamera(first, sub=second, quirks=["codec-changes=1.5"]) as camera:

        def look() -> None:
            with opened(camera.rtsp_url, ring) as stream:
                wait_until(stream, lambda: is_live(stream, codecs[0]))
                wait_until(stream, lambda: is_live(stream, codecs[1]))
                wait_until(stream, lambda: ring.seconds > 1)
                assert stream.counters.losses == 1

        await anyio.to_thread.run_sync(look)
    clip, _ = clip_of(ring)
    with av.open(io.BytesIO(clip), "r") as container:
        assert container.streams.video[0].codec_context.name == codecs[1]
        assert len(list(container.decode(video=0))) > 20


def is_live(stream: VideoStream, codec: str) -> bool:
    state = stream.state
    return isinstance(state, StreamLive) and state.codec == codec


async def test_a_camera_that_comes_back_with_another_codec_is_read_on(recording: Path, tmp_path: Path) -> None:
    plain = write_recording(tmp_path / "plain.mp4")
    async with SimulatedCamera(plain) as camera:
        port, url = int(camera.rtsp_url.rsplit(":", 1)[1].split("/")[0]), camera.rtsp_url
        stream = opened(url)
        stream.start()
        await anyio.to_thread.run_sync(wait_until, stream, lambda: is_live(stream, "h264"))
    try:
        await anyio.to_thread.run_sync(wait_until, stream, lambda: not is_live(stream, "h264"))
        async with SimulatedCamera(recording, ports=Ports(rtsp=port)):
            await anyio.to_thread.run_sync(wait_until, stream, lambda: is_live(stream, "hevc"))
    finally:
        await anyio.to_thread.run_sync(stream.stop)


def as_h265(source: Path, target: Path) -> Path:
    """The same pictures, as x265 makes them unless told otherwise: open groups, B-frames, parameter sets once."""
    options = {"preset": "ultrafast", "crf": "18", "x265-params": "log-level=none:keyint=25:bframes=3:pools=2"}
    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = write.add_stream("libx265", rate=Fraction(25), options=options)
        found = read.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = found.width, found.height, "yuv420p"
        for number, picture in enumerate(read.decode(found)):
            picture.pts, picture.time_base = number, Fraction(1, 25)
            write.mux(stream.encode(picture))
        write.mux(stream.encode(None))
    return target


async def test_who_is_on_the_list_is_matched_in_h265_and_the_clip_plays(tmp_path: Path) -> None:
    walk = as_h265(cut_clip(built("gate-640x360.mp4"), tmp_path / "walk.mp4", *WALK), tmp_path / "h265.mp4")
    house = House()
    evidence = EvidenceSettings(clip_before_seconds=1, clip_after_seconds=1)
    async with house.open(tmp_path / "models", yunet_file(), evidence=evidence) as workers:
        await house.enrol(workers, "listed", "obama")
        async with SimulatedCamera(walk) as camera:
            await workers.assign(CameraSettings(id="cam-01", url=camera.rtsp_url, watch_faces=True))
            await until(lambda: any(piece.last for piece in house.pieces))
    assert {match.person for match in house.matches} == {"listed"}
    first = next(piece.evidence for piece in house.pieces if piece.last)
    pieces = [piece for piece in house.pieces if piece.evidence == first]
    assert {piece.codec.split(".")[0] for piece in pieces} == {"hvc1"}
    with av.open(io.BytesIO(b"".join(piece.data for piece in pieces)), "r") as container:
        pictures = list(container.decode(video=0))
    assert pictures[0].width == 640
    assert len(pictures) > 25
