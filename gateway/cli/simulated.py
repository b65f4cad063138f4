"""Simulators as processes of the demo: started, heard until they are ready, ended with it."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress

from gateway.errors import TransientError

_READY_SECONDS = 20.0
_END_SECONDS = 3.0


class Simulator:
    """One simulator, told to end when its stdin closes, so that it never outlives the demo."""

    def __init__(self, kind: str, process: asyncio.subprocess.Process, heard: Callable[[str], None]) -> None:
        self._kind = kind
        self._process = process
        self._heard = heard
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, kind: str, *arguments: str, heard: Callable[[str], None] = lambda _line: None) -> "Simulator":
        """Start a simulator; `heard` gets every line that it prints behind its first.

        Raises:
            TransientError: it cannot be started.
        """
        command = [sys.executable, "-m", "gateway.simulators", kind, *arguments, "--exit-with-parent"]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(kind, process, heard)

    async def ready(self) -> list[str]:
        """The words of its first line, behind ``ready``.

        Raises:
            TransientError: it ended, or did not get ready in time.
        """
        line = ""
        with suppress(TimeoutError):
            line = await asyncio.wait_for(self._line(), _READY_SECONDS)
        if not line.startswith("ready"):
            raise TransientError(f"the simulated {self._kind} did not start", remedy="Is a port of it taken?")
        return line.split()[1:]

    async def _line(self) -> str:
        stream = self._process.stdout
        return (await stream.readline()).decode(errors="replace").rstrip("\n") if stream is not None else ""

    def listen(self) -> None:
        """Pass its lines on from now on."""
        self._reader = asyncio.create_task(self._listen(), name=f"lines of the simulated {self._kind}")

    async def _listen(self) -> None:
        while line := await self._line():
            self._heard(line)

    async def tell(self, text: str) -> None:
        """Type a line into it."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{text}\n".encode())
            await self._process.stdin.drain()

    async def stop(self) -> None:
        """End it."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _END_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
