"""A child whose reader hangs in the library ends, so that another takes its cameras."""

import asyncio
from pathlib import Path

import pytest
from vision_bench import built, cut_clip, until, yunet_file

from gateway.clock import SystemClock
from gateway.settings import MatchingSettings, VisionSettings
from gateway.simulators.camera import SimulatedCamera
from gateway.wire import CameraAssigned, ChannelClosedError, Heartbeat, Hello, Ready, StreamAddress
from gateway.workers import WorkerProcess

# The library never comes back from the packet behind the first picture.
_HANGING = """
import os, sys, threading
from gateway.streams.session import Session
real = Session.pictures

def pictures(self):
    for made in real(self):
        yield made
        if made.picture is not None:
            threading.Event().wait()

Session.pictures = pictures
from gateway.vision.command import main
os._exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("ending", ["kept", "elsewhere"])
async def test_a_child_with_a_reader_that_hangs_ends_with_a_fault(tmp_path: Path, ending: str) -> None:
    program = tmp_path / "hanging.py"
    program.write_text(_HANGING)
    clip = cut_clip(built("empty-640x360.mp4"), tmp_path / "clip.mp4", 0, 60)
    hello = Hello(
        role="video",
        worker="video-1",
        site="east",
        vision=VisionSettings(heartbeat_seconds=0.1, read_timeout_seconds=1, nice=5),
        matching=MatchingSettings(detector_model=yunet_file()),
        models_directory=str(tmp_path),
    )
    assigned = CameraAssigned(
        camera="cam-01",
        name="Gate",
        place="east",
        url="onvif://camera.example",
        watch_faces=True,
        loop=True,
        looks_per_second=5,
    )
    live = asyncio.Event()
    process = await WorkerProcess.start("video", "video-1", SystemClock(), program=[str(program)])

    async def listen() -> None:
        while True:
            match (await process.channel.receive()).message:
                case Ready():
                    await process.channel.send(assigned)
                    await process.channel.send(StreamAddress(camera="cam-01", url=camera.rtsp_url))
                case Heartbeat(cameras=(status,)) if status.frames_seen:
                    live.set()

    try:
        await process.channel.send(hello)
        async with SimulatedCamera(clip) as camera:
            listening = asyncio.create_task(listen())
            await until(live.is_set)
            if ending == "elsewhere":
                await process.channel.send(StreamAddress(camera="cam-01", url="rtsp://127.0.0.1:9/none"))
            assert await process.wait() == 1
            with pytest.raises(ChannelClosedError):
                await listening
    finally:
        await process.close()
