"""Streams as they are met: recordings, cameras over RTSP, and servers that misbehave."""

import io
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio.to_thread
import av
import pytest
from fixtures_recordings import write_recording

from gateway.clock import SystemClock
from gateway.simulators.camera import SimulatedCamera
from gateway.streams import (
    Backoff,
    Frame,
    LossReason,
    PacketRing,
    StreamLive,
    StreamLost,
    StreamSource,
    StreamStopped,
    VideoStream,
)

PASSWORD = "p@ss:w/rd#1"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("streams") / "half a second.mp4", frames=13)


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("streams") / "long.mp4", frames=100)


@pytest.fixture
async def camera(long_recording: Path) -> AsyncIterator[SimulatedCamera]:
    async with SimulatedCamera(long_recording, username="gate", password=PASSWORD) as simulated:
        yield simulated


def stream_of(url: str, *, ring: PacketRing | None = None, **options: Any) -> VideoStream:
    """A stream that tries again without a pause worth waiting for."""
    source = StreamSource(url=url, open_timeout_seconds=2, read_timeout_seconds=1, **options)
    return VideoStream(source, clock=SystemClock(), ring=ring, backoff=Backoff(lambda low, high: 0.02))


def wait_for(stream: VideoStream, kind: type[Frame] | type[StreamLost]) -> Any:
    """The next one of a kind."""
    for _ in range(400):
        found = stream.next(0.1)
        if isinstance(found, kind):
            return found
    pytest.fail(f"no {kind.__name__} came; the state is {stream.state}")


def losses_before_a_frame(stream: VideoStream) -> list[StreamLost]:
    losses = []
    while not isinstance(found := stream.next(20), Frame):
        assert found is not None
        losses.append(found)
    return losses


def frames_of(stream: VideoStream, count: int) -> list[Frame]:
    return [wait_for(stream, Frame) for _ in range(count)]


# --- recordings


def test_a_recording_is_looped_with_times_that_go_on(recording: Path) -> None:
    with stream_of(recording.as_uri()) as stream:
        frames = frames_of(stream, 30)
    assert frames[-1].number > 26
    assert all(earlier.seconds < later.seconds for earlier, later in pairwise(frames))
    assert all(
        later.seconds - earlier.seconds == pytest.approx(0.04 * (later.number - earlier.number), abs=0.002)
        for earlier, later in pairwise(frames)
    )
    counters = stream.counters
    assert counters.seen == counters.looked + counters.skipped + (counters.seen - frames[-1].number)
    assert counters.losses == 0
    assert isinstance(stream.state, StreamStopped)


def test_a_recording_is_played_at_its_own_pace(recording: Path) -> None:
    with stream_of(recording.as_uri()) as stream:
        frames = frames_of(stream, 13)
    # Never faster than its own time; how much slower is the machine's business.
    assert frames[-1].received - frames[0].received >= (frames[-1].seconds - frames[0].seconds) - 0.04


def test_a_recording_that_is_not_looped_ends_and_stays_ended(recording: Path) -> None:
    with stream_of(recording.as_uri(), loop=False) as stream:
        lost = wait_for(stream, StreamLost)
        assert (lost.reason, lost.retry_seconds) == (LossReason.ENDED, None)
        assert stream.next(5) is None
        assert stream.state == lost
    assert stream.counters.seen == 13


def test_a_late_looker_gets_the_newest_frame(recording: Path) -> None:
    with stream_of(recording.as_uri()) as stream:
        first = wait_for(stream, Frame)
        time.sleep(0.3)
        later = wait_for(stream, Frame)
    assert later.number > first.number + 1
    assert stream.counters.skipped >= later.number - first.number - 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, LossReason.NOT_FOUND),
        (lambda path: path.write_text("this is no video\n" * 500), LossReason.INVALID_DATA),
        (lambda path: path.write_bytes(b""), LossReason.INVALID_DATA),
        (lambda path: path.mkdir(), LossReason.NO_FILE),
        (os.mkfifo, LossReason.NO_FILE),
        (lambda path: path.symlink_to("/dev/zero"), LossReason.NO_FILE),
    ],
)
def test_what_is_no_recording_is_a_named_loss(
    tmp_path: Path, make: Callable[[Path], object], reason: LossReason
) -> None:
    path = tmp_path / "no video.mp4"
    make(path)
    with stream_of(path.as_uri()) as stream:
        assert wait_for(stream, StreamLost).reason is reason


def test_a_file_that_appears_later_is_played(tmp_path: Path, recording: Path) -> None:
    path = tmp_path / "later.mp4"
    with stream_of(path.as_uri()) as stream:
        assert wait_for(stream, StreamLost).reason is LossReason.NOT_FOUND
        (tmp_path / "part").write_bytes(recording.read_bytes())
        (tmp_path / "part").rename(path)
        assert wait_for(stream, Frame).number == 1
        assert isinstance(stream.state, StreamLive)


def test_a_sound_file_holds_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
    with stream_of(path.as_uri()) as stream:
        assert wait_for(stream, StreamLost).reason is LossReason.NO_VIDEO


def test_a_damaged_recording_is_played_where_it_can_be(tmp_path: Path, long_recording: Path) -> None:
    data = bytearray(long_recording.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with stream_of(path.as_uri(), loop=False) as stream:
        frames = []
        while not isinstance(found := stream.next(5), StreamLost):
            assert found is not None
            frames.append(found)
    assert found.reason is LossReason.ENDED
    assert frames[-1].seconds > 3


def test_the_clip_of_a_playing_stream_decodes(long_recording: Path) -> None:
    ring = PacketRing(seconds=2)
    with stream_of(long_recording.as_uri(), ring=ring) as stream:
        frames_of(stream, 20)
        clip = ring.clip(0.5, 0.3)
        frames_of(stream, 5)
    assert clip.ends - clip.begins >= 0.7
    with av.open(io.BytesIO(clip.mp4), "r") as container:
        assert len(list(container.decode(video=0))) == clip.pictures


def test_stopping_needs_no_pause_to_end() -> None:
    source = StreamSource(url="file:///nowhere.mp4")
    stream = VideoStream(source, clock=SystemClock(), backoff=Backoff(lambda low, high: 1000.0))
    with stream:
        wait_for(stream, StreamLost)
        assert stream.stop()


def test_stopping_what_never_started_is_fine() -> None:
    assert stream_of("file:///nowhere.mp4").stop()


# --- servers that misbehave


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(answer: bytes | None) -> Iterator[int]:
    """Answers each request with the status line `answer`; None: accepts and stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()
        worker = threading.Thread(target=_serve, args=(listener, answer, stop))
        worker.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            worker.join()


def _serve(listener: socket.socket, answer: bytes | None, stop: threading.Event) -> None:
    open_ones = []
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        open_ones.append(connection)
        if answer is not None:
            request = connection.recv(4096)
            number = request.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
            connection.sendall(answer + b"\r\nCSeq: " + number + b"\r\n\r\n")
            connection.close()
    for connection in open_ones:
        connection.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"RTSP/1.0 404 Not Found", LossReason.NOT_FOUND),
        (b"RTSP/1.0 403 Forbidden", LossReason.FORBIDDEN),
        (b"RTSP/1.0 453 Not Enough Bandwidth", LossReason.BUSY),
        (b"RTSP/1.0 500 Internal Server Error", LossReason.SERVER_ERROR),
        (None, LossReason.TIMEOUT),
    ],
)
def test_a_servers_refusal_has_a_name(answer: bytes | None, reason: LossReason) -> None:
    with server(answer) as port, stream_of(f"rtsp://127.0.0.1:{port}/live") as stream:
        assert wait_for(stream, StreamLost).reason is reason


def test_nobody_listens() -> None:
    with stream_of(f"rtsp://127.0.0.1:{free_port()}/live") as stream:
        lost = wait_for(stream, StreamLost)
    assert lost.reason is LossReason.REFUSED
    assert stream.counters.losses == 1


def test_no_secret_and_no_noise_comes_out(capfd: pytest.CaptureFixture[str]) -> None:
    with stream_of(f"rtsp://127.0.0.1:{free_port()}/live", username="gate", password=PASSWORD) as stream:
        lost = wait_for(stream, StreamLost)
        assert PASSWORD not in f"{lost!r} {stream.state!r} {stream!r}"
        assert "p%40ss" not in f"{lost!r} {stream.state!r}"
    assert capfd.readouterr() == ("", "")


# --- cameras over RTSP


async def in_thread(work: Callable[[], None]) -> None:
    """The camera lives in this loop, the stream's looker in a thread, as in the child program."""
    await anyio.to_thread.run_sync(work)


async def test_a_camera_is_seen_and_its_clip_decodes(camera: SimulatedCamera) -> None:
    def look() -> None:
        ring = PacketRing()
        with stream_of(camera.rtsp_url, ring=ring, username="gate", password=PASSWORD) as stream:
            frames = frames_of(stream, 10)
            state = stream.state
            clip = ring.clip(10, 0.5)
        assert isinstance(state, StreamLive)
        assert (state.width, state.height, state.codec) == (192, 108, "h264")
        assert all(earlier.seconds < later.seconds for earlier, later in pairwise(frames))
        assert frames[0].rgb(width=96).shape == (54, 96, 3)
        with av.open(io.BytesIO(clip.mp4), "r") as container:
            assert len(list(container.decode(video=0))) == clip.pictures > 10

    await in_thread(look)


async def test_a_wrong_password_and_a_wrong_path_have_names(camera: SimulatedCamera) -> None:
    def look() -> None:
        with stream_of(camera.rtsp_url, username="gate", password="wrong") as stream:
            assert wait_for(stream, StreamLost).reason is LossReason.UNAUTHORIZED
        with stream_of(camera.rtsp_url + "/no/such", username="gate", password=PASSWORD) as stream:
            assert wait_for(stream, StreamLost).reason is LossReason.NOT_FOUND

    await in_thread(look)


async def test_video_that_stops_while_rtcp_goes_on_is_a_stall(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["stall=0.5"]) as camera:

        def look() -> None:
            with stream_of(camera.rtsp_url) as stream:
                before = wait_for(stream, Frame)
                assert wait_for(stream, StreamLost).reason is LossReason.STALLED
                after = wait_for(stream, Frame)
            assert after.seconds > before.seconds + 1
            assert stream.counters.losses >= 1

        await in_thread(look)


async def test_a_camera_that_dies_comes_back_and_the_loss_is_told_once(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["stream-dies=0.5"]) as camera:

        def look() -> None:
            with stream_of(camera.rtsp_url) as stream:
                wait_for(stream, Frame)
                lost = wait_for(stream, StreamLost)
                assert lost.reason in {LossReason.ENDED, LossReason.CLOSED}
                # Nothing between the loss and the next picture but, on a busy machine, a loss of another name.
                assert all(other.reason is not lost.reason for other in losses_before_a_frame(stream))

        await in_thread(look)


async def test_a_camera_that_says_goodbye_is_lost(recording: Path) -> None:
    async with SimulatedCamera(recording, loop=False) as camera:

        def look() -> None:
            with stream_of(camera.rtsp_url) as stream:
                wait_for(stream, Frame)
                lost = wait_for(stream, StreamLost)
            assert lost.reason in {LossReason.ENDED, LossReason.STALLED, LossReason.CLOSED}
            assert lost.retry_seconds is not None

        await in_thread(look)


async def test_a_frozen_camera_is_a_timeout_and_can_be_stopped(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["frozen"]) as camera:

        def look() -> None:
            with stream_of(camera.rtsp_url) as stream:
                assert wait_for(stream, StreamLost).reason is LossReason.TIMEOUT
                assert stream.stop()

        await in_thread(look)
