"""Acceptance item 42: the camera's own recording of the time around an alarm is fetched as a clip."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from harness.devices_bench import ASSIGNED
from harness.onvif_bench import PASSWORD, Bench, Opened

from gateway.cameras import Timeouts
from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.recording import load_recording
from gateway.vision.child import Outlet
from gateway.vision.devices.own_recording import replay_of
from gateway.vision.video import own_recording
from gateway.vision.video.own_recording import RecordingFetch
from gateway.wire import ChannelClosedError, ClipPiece, FetchRecording, Message, RecordingReply, RecordingRequest

SECONDS = 4.0
_FPS = 12  # of `write_test_recording`


class Parent(Outlet):
    """Takes pieces."""

    def __init__(self) -> None:
        self.pieces: list[ClipPiece] = []
        self.gone = False
        self.begun = asyncio.Event()

    async def send_behind(self, message: Message) -> None:
        if self.gone:
            raise ChannelClosedError("the other side of the channel is gone")
        assert isinstance(message, ClipPiece)
        self.pieces.append(message)
        self.begun.set()

    @property
    def last(self) -> ClipPiece:
        (last,) = (piece for piece in self.pieces if piece.last)
        assert last is self.pieces[-1]
        return last

    @property
    def mp4(self) -> bytes:
        return b"".join(piece.data for piece in self.pieces)


def order_at(url: str, since: float, seconds: float = SECONDS) -> FetchRecording:
    return FetchRecording(
        evidence="e", event="press", camera="cam-01", person="", url=url, since=since, until=since + seconds
    )


def ago(seconds: float) -> float:
    """A moment between two pictures: what is asked for in milliseconds then means the same pictures."""
    return (int((datetime.now(UTC).timestamp() - seconds) * _FPS) + 0.5) / _FPS


def replay_url(opened: Opened) -> str:
    return opened.simulated.rtsp_url.replace("/main", "/replay/recording-1")


def fetch(order: FetchRecording, parent: Parent, *, password: str = PASSWORD, fingerprint: str = "") -> RecordingFetch:
    assigned = replace(ASSIGNED, username="gate", password=password, tls_fingerprint=fingerprint)
    return RecordingFetch(order, assigned, parent)


async def fetched(opened: Opened, *, since: float | None = None, **how: str) -> Parent:
    parent = Parent()
    await fetch(order_at(replay_url(opened), ago(60) if since is None else since), parent, **how).run()
    return parent


def units(mp4: bytes) -> list[list[bytes]]:
    """The NAL units of each picture."""
    with av.open(io.BytesIO(mp4), "r") as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    found: list[list[bytes]] = []
    for data in packets:
        rest, picture = data, list[bytes]()
        while rest:
            size = int.from_bytes(rest[:4], "big")
            picture.append(rest[4 : 4 + size])
            rest = rest[4 + size :]
        found.append(picture)
    return found


def played(mp4: bytes) -> list[float]:
    with av.open(io.BytesIO(mp4), "r") as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


Recorded = Callable[[float], list[list[bytes]]]
_PARAMETER_SETS = (7, 8)  # ITU-T H.264, table 7-1


@pytest.fixture
def recorded(recordings: tuple[Path, Path]) -> Recorded:
    """What the camera recorded from the keyframe at or before a moment on, for so long as is asked for.

    Without the parameter sets, which a clip has in its header.
    """
    recording = load_recording(recordings[0])

    def since(moment: float) -> list[list[bytes]]:
        first = recording.keyframe_before(recording.number_at(moment))
        end = recording.number_at(moment + SECONDS)
        units = (recording.unit(number).nals for number in range(first, end + 1))
        return [[nal for nal in nals if nal[0] & 31 not in _PARAMETER_SETS] for nals in units]

    return since


@asynccontextmanager
async def asked(bench: Bench, *quirks: str) -> AsyncIterator[tuple[Opened, RecordingReply]]:
    """A camera, and what the devices child says of its recording."""
    async with bench(*quirks) as opened:
        yield opened, await replay_of(RecordingRequest(request=5, camera="cam-01"), opened.client)


@pytest.mark.parametrize("quirk", ["own-recording", "replay-paced", "rtsps", "wrong-host"])
async def test_item_42_the_pictures_of_that_time_are_fetched_as_a_clip(
    bench: Bench, quirk: str, recorded: Recorded
) -> None:
    async with bench("own-recording", quirk, fingerprint="right" if quirk == "rtsps" else "") as opened:
        since = ago(60)
        parent = await fetched(opened, since=since, fingerprint=opened.simulated.inside.fingerprint)
        wanted = recorded(since)
    assert units(parent.mp4) == wanted
    times = played(parent.mp4)
    assert SECONDS - 0.2 < times[-1] - times[0] < SECONDS + 1.2
    last = parent.last
    assert (last.cut_short, last.late_seconds, last.lost_seconds, last.trouble) == (False, 0, 0, "")
    assert last.seconds == pytest.approx(times[-1], abs=0.1)
    assert [piece.number for piece in parent.pieces] == list(range(len(parent.pieces)))
    assert all(piece.from_camera and piece.others for piece in parent.pieces)


async def test_item_42_the_time_is_that_of_the_cameras_clock(bench: Bench, recorded: Recorded) -> None:
    async with asked(bench, "own-recording", "clock-off=90") as (opened, reply):
        assert reply.clock_offset_seconds == pytest.approx(90, abs=1)
        assert reply.url == replay_url(opened)
        since = ago(10) + reply.clock_offset_seconds
        parent = await fetched(opened, since=since)
        wanted = recorded(since)
    assert since > ago(0), "by our clock nobody would have recorded it yet"
    assert units(parent.mp4) == wanted


async def test_item_42_a_camera_that_has_no_recording_of_its_own_or_lets_nobody_in_says_so(bench: Bench) -> None:
    for quirks, refusal in (
        ((), "no_recording"),
        (("own-recording", "recordings-of-strangers"), "no_recording"),
        (("own-recording", "not-onvif"), "not_playable"),
    ):
        async with asked(bench, *quirks) as (_, reply):
            assert (reply.refusal, reply.url) == (refusal, "")
    async with bench("own-recording", password="wrong") as opened:
        reply = await replay_of(RecordingRequest(request=5, camera="cam-01"), opened.client)
        assert reply.refusal == "credentials_wrong"
    assert (await replay_of(RecordingRequest(request=5, camera="cam-01"), None)).refusal == "unreachable"
    assert PASSWORD not in repr(reply)


@pytest.mark.parametrize(
    ("quirk", "reason"),
    [
        ("recording-stopped=20", "not_recorded"),
        ("replay-timeless", "not_playable"),
        ("replay-refused", "credentials_wrong"),
        ("unknown-codec", "not_playable"),
        ("redirects", "not_playable"),
    ],
)
async def test_item_42_why_there_is_none_is_told_by_name(
    bench: Bench, quirk: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bench("own-recording", quirk) as opened:
        parent = await fetched(opened)
    assert parent.pieces == [parent.last]
    assert (parent.last.trouble, parent.last.cut_short, parent.last.data) == (reason, True, b"")
    assert PASSWORD not in caplog.text + repr(parent.pieces)


async def test_item_42_a_wrong_password_is_tried_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs: list[str] = []
    judge = DigestRealm.accepts

    def accepts(realm: DigestRealm, method: str, authorization: str) -> bool:
        proofs.extend([authorization] if authorization else [])
        return judge(realm, method, authorization)

    monkeypatch.setattr(DigestRealm, "accepts", accepts)
    async with bench("own-recording") as opened:
        parent = await fetched(opened, password="wrong")
    assert parent.last.trouble == "credentials_wrong"
    assert len(proofs) == 1


@pytest.mark.parametrize("quirk", ["replay-dies=30", "replay-stalls=30"])
async def test_item_42_what_came_before_a_replay_broke_off_plays(
    bench: Bench, quirk: str, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recording, "_SILENT_SECONDS", 0.5)
    async with bench("own-recording", quirk) as opened:
        since = ago(60)
        parent = await fetched(opened, since=since)
        wanted = recorded(since)
    assert units(parent.mp4) == wanted[: len(units(parent.mp4))]
    assert 29 <= len(played(parent.mp4)) <= 30
    assert (parent.last.cut_short, parent.last.trouble) == (True, "")


async def test_item_42_a_flood_ends_by_its_bytes_and_a_replay_that_drags_by_its_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recording, "_MOST_BYTES", 200_000)
    monkeypatch.setattr(own_recording, "_MOST_BYTES_PER_SECOND", 0)
    async with bench("own-recording", "replay-floods") as opened:
        assert (await fetched(opened)).last.trouble == "not_recorded"
    monkeypatch.setattr(own_recording, "_MOST_BYTES", 64_000_000)
    monkeypatch.setattr(own_recording, "_MOST_SECONDS", 5.0)  # a busy machine needs two for the first picture
    monkeypatch.setattr(own_recording, "_SECONDS_PER_SECOND", 0)
    async with bench("own-recording", "replay-paced") as opened:
        parent = Parent()
        await fetch(order_at(replay_url(opened), ago(60), 30), parent).run()
    assert parent.last.cut_short
    assert played(parent.mp4)


async def test_item_42_a_fetch_that_is_given_up_says_so_and_ends_its_session(bench: Bench) -> None:
    async with bench("own-recording", "replay-paced") as opened:
        parent = Parent()
        task = asyncio.create_task(fetch(order_at(replay_url(opened), ago(60), 30), parent).run())
        while not opened.simulated.inside.rtsp.open_sessions:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert parent.last.cut_short
        while opened.simulated.inside.rtsp.open_sessions:
            await asyncio.sleep(0.01)


async def test_item_42_nothing_is_said_to_a_parent_that_is_gone(bench: Bench) -> None:
    async with bench("own-recording") as opened:
        parent = Parent()
        parent.gone = True
        await fetch(order_at(replay_url(opened), ago(60)), parent).run()
    assert not parent.pieces


async def test_item_42_whatever_is_answered_ends_with_a_clip_or_a_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recording, "_FIRST_SECONDS", 0.5)
    monkeypatch.setattr(own_recording, "_TIMEOUTS", Timeouts(connect=1.0, read=0.5))
    for seed in range(1, 9):
        async with bench("own-recording", f"mutated-rtsp={seed}") as opened:
            last = (await fetched(opened)).last
        assert bool(last.trouble) != bool(last.number)


async def test_item_42_a_recording_that_ends_within_the_time_is_told_as_incomplete(bench: Bench) -> None:
    async with bench("recording-stopped=20") as opened:
        end = datetime.now(UTC) - timedelta(minutes=20)
        parent = await fetched(opened, since=end.timestamp() - 2)
    assert 1.5 < played(parent.mp4)[-1] < 3.5
    assert (parent.last.cut_short, parent.last.trouble) == (True, "")
