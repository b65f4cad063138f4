"""A simulated camera in a process of its own, so that its CPU and memory are counted apart."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SERVER = """
import asyncio, sys
from pathlib import Path
from gateway.simulators.camera import SimulatedCamera

async def main():
    async with SimulatedCamera(Path(sys.argv[1])) as camera:
        print(camera.rtsp_url, flush=True)
        told = None
        while True:
            if camera.began != told and camera.began is not None:
                told = camera.began
                print(told, flush=True)
            await asyncio.sleep(0.02)

asyncio.run(main())
"""


@dataclass
class ServedCamera:
    """A camera at work.

    Attributes:
        url: its address.
        pid: of its process.
        began: when its recording began to play, by this machine's monotonic clock: once per time that it was alone.
    """

    url: str
    pid: int
    began: list[float] = field(default_factory=list)


@contextmanager
def served(recording: Path) -> Iterator[ServedCamera]:
    """A process that sends a recording's packets over RTSP to whoever asks, again and again."""
    process = subprocess.Popen(  # ourselves
        [sys.executable, "-c", _SERVER, str(recording)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as told:
        camera = ServedCamera(told.readline().strip(), process.pid)
        reader = threading.Thread(target=lambda: camera.began.extend(map(float, told)), name="camera-told")
        reader.start()
        try:
            yield camera
        finally:
            process.kill()
            process.wait()
            reader.join()
