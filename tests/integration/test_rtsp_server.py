"""The simulated camera's streams, seen by the clients that the field uses: FFmpeg through PyAV and OpenCV."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import av.error
import pytest

from gateway.simulators.camera import SimulatedCamera, write_test_recording

PASSWORD = "p@ss:w/rd#1"
QUICK = {"fpsprobesize": "0", "analyzeduration": "200000"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rtsp") / "squares.mp4"
    return write_test_recording(file, frames=24, frames_per_second=24)


@pytest.fixture
async def camera(recording: Path) -> AsyncIterator[SimulatedCamera]:
    async with SimulatedCamera(recording, username="gate", password=PASSWORD) as simulated:
        yield simulated


def _with_password(url: str, password: str = PASSWORD) -> str:
    return url.replace("rtsp://", f"rtsp://gate:{quote(password, safe='')}@")


def _frames(url: str, count: int, transport: str = "tcp", pause: float = 5.0) -> list[Any]:
    """The first decoded frames' times; an ended stream gives fewer."""
    times = []
    with av.open(url, options=QUICK | {"rtsp_transport": transport}, timeout=(5.0, pause)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            times.append(frame.pts * float(stream.time_base) if frame.pts is not None and stream.time_base else None)
            if len(times) == count:
                break
    return times


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_frames_decode_and_time_goes_on_through_the_loop(camera: SimulatedCamera, transport: str) -> None:
    times = await asyncio.to_thread(_frames, _with_password(camera.rtsp_url), 40, transport)

    assert len(times) == 40
    steps = [after - before for before, after in itertools.pairwise(times[1:])]
    assert max(steps) == pytest.approx(1 / 24, abs=0.002)
    assert min(steps) == pytest.approx(1 / 24, abs=0.002)


async def test_opencv_reads_frames(camera: SimulatedCamera) -> None:
    def read() -> list[tuple[int, ...]]:
        cv2 = pytest.importorskip("cv2")
        capture = cv2.VideoCapture(_with_password(camera.rtsp_url), cv2.CAP_FFMPEG)
        try:
            return [picture.shape for ok, picture in (capture.read() for _ in range(10)) if ok]
        finally:
            capture.release()

    assert await asyncio.to_thread(read) == [(180, 320, 3)] * 10


async def test_several_clients_see_the_stream_at_once(camera: SimulatedCamera) -> None:
    url = _with_password(camera.rtsp_url)
    async with asyncio.TaskGroup() as group:
        seen = [group.create_task(asyncio.to_thread(_frames, url, 12)) for _ in range(4)]

    assert [len(task.result()) for task in seen] == [12] * 4


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda url: url, av.error.HTTPUnauthorizedError),
        (lambda url: _with_password(url, "wrong"), av.error.HTTPUnauthorizedError),
        (lambda url: _with_password(url).replace("/main", "/other"), av.error.HTTPNotFoundError),
        (lambda url: _with_password(url).replace("/main", "/sub"), av.error.HTTPNotFoundError),
    ],
)
async def test_a_wrong_password_is_401_and_a_wrong_path_404(camera: SimulatedCamera, change: Any, error: Any) -> None:
    with pytest.raises(error):
        await asyncio.to_thread(_frames, change(camera.rtsp_url), 1)


async def test_main_and_sub_have_their_own_size(recording: Path, tmp_path: Path) -> None:
    small = write_test_recording(tmp_path / "small.mp4", width=160, height=90)

    def size(url: str) -> tuple[int, int]:
        with av.open(url, options=QUICK | {"rtsp_transport": "tcp"}, timeout=5.0) as container:
            return container.streams.video[0].width, container.streams.video[0].height

    async with SimulatedCamera(recording, sub=small) as camera:
        assert await asyncio.to_thread(size, camera.rtsp_url) == (320, 180)
        assert await asyncio.to_thread(size, camera.rtsp_sub_url) == (160, 90)


async def test_a_recording_played_once_ends_the_stream_after_its_last_frame(recording: Path) -> None:
    async with SimulatedCamera(recording, loop=False) as camera:
        for _ in range(2):
            assert len(await asyncio.to_thread(_frames, camera.rtsp_url, 1000)) == 24


async def test_a_stalled_video_ends_in_the_readers_timeout(recording: Path) -> None:
    async with SimulatedCamera(recording, quirks=["stall=0.4"]) as camera:
        with pytest.raises(av.error.ExitError):
            await asyncio.to_thread(_frames, camera.rtsp_url, 1000, pause=1.0)


async def test_a_dying_stream_ends(recording: Path) -> None:
    async with SimulatedCamera(recording, quirks=["stream-dies=0.5"]) as camera:
        seen = await asyncio.to_thread(_frames, camera.rtsp_url, 1000)

    assert 0 < len(seen) < 1000


async def test_a_frozen_camera_accepts_and_says_nothing(recording: Path) -> None:
    async with SimulatedCamera(recording, quirks=["frozen"]) as camera:
        with pytest.raises(av.error.FFmpegError):
            await asyncio.to_thread(av.open, camera.rtsp_url, timeout=(0.5, 0.5))


async def test_leaving_the_camera_hangs_up_on_its_clients(recording: Path) -> None:
    async with SimulatedCamera(recording) as camera:
        watching = asyncio.create_task(asyncio.to_thread(_frames, camera.rtsp_url, 1000))
        await asyncio.sleep(1.0)

    assert len(await watching) < 1000
