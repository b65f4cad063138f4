"""A simulated camera in a process of its own, so that its CPU and memory are counted apart."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVER = """
import asyncio, sys
from pathlib import Path
from gateway.simulators.camera import SimulatedCamera

async def main():
    async with SimulatedCamera(Path(sys.argv[1])) as camera:
        print(camera.rtsp_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def served(recording: Path) -> Iterator[tuple[str, int]]:
    """A process that sends a recording's packets over RTSP to whoever asks: its address and process number."""
    process = subprocess.Popen(  # ourselves
        [sys.executable, "-c", _SERVER, str(recording)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.kill()
            process.wait()
