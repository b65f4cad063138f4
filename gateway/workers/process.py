"""One running child: its process, its two channels and its log."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import gateway
from gateway.clock import Clock
from gateway.wire import Channel, Stop, channel_pair
from gateway.workers.stderr import relay_lines
from gateway.workers.turns import give_way

_LOG = logging.getLogger(__name__)
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
    *("PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"),
)
# One thread per library: several streams share few cores, and pools that spin cost more than they gain.
_PINNED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONUNBUFFERED": "1",
    # ONNX Runtime 1.32 tells its maker of each session; only this, set before it loads, keeps it silent.
    "ORT_DISABLE_TELEMETRY": "1",
}


class WorkerProcess:
    """A child that runs; made by `start`, ended by `stop` or `kill`, and closed by `close`.

    Attributes:
        name: such as ``video-1``.
        channel: messages both ways.
        pictures: requests for pictures and their replies, apart so that none is ever ahead of a report.
    """

    def __init__(self, name: str, process: Process, channel: Channel, pictures: Channel, clock: Clock) -> None:
        self.name = name
        self.channel = channel
        self.pictures = pictures
        self._process = process
        assert process.stderr is not None  # noqa: S101  # it was asked for
        self._relay = asyncio.create_task(relay_lines(process.stderr, name, _LOG, clock), name=f"{name} log")

    @classmethod
    async def start(
        cls, role: str, name: str, clock: Clock, *, program: Sequence[str] = ("-m", "gateway.vision")
    ) -> Self:
        """Start ``python -m gateway.vision ROLE`` in a session of its own, never by a bare fork.

        Args:
            role: video, devices or gallery.
            name: such as ``video-1``.
            clock: the gateway's.
            program: what Python is to run; another one in tests.

        Raises:
            OSError: the system has no room for another process.
        """
        ours, theirs = channel_pair()
        our_pictures, their_pictures = channel_pair()
        try:
            process = await _spawn([*program, role], theirs, their_pictures)
        except BaseException:
            ours.close()
            our_pictures.close()
            raise
        finally:
            theirs.close()
            their_pictures.close()
        return cls(name, process, Channel(ours), Channel(our_pictures), clock)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def give_way(self, nice: int) -> None:
        """Let it run only when the alarm house does not want the processor, from its first import on."""
        if give_way(self.pid, nice):
            return
        with contextlib.suppress(OSError):  # it may have ended already, and a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, self.pid, nice)
            if sys.platform == "linux":
                os.sched_setscheduler(self.pid, os.SCHED_BATCH, os.sched_param(0))

    async def wait(self) -> int:
        """Its exit status once it has ended; negative for a signal's number."""
        return await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, which a stopped process obeys, too."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, seconds: float) -> None:
        """Ask it to end; kill it after `seconds`."""
        self.channel.offer(Stop())
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            _LOG.warning("%s did not end within %g s of being asked: killed", self.name, seconds)
            self.kill()

    async def close(self) -> int:
        """Kill what still runs, close the channels, read the log to its end; returns the exit status."""
        self.kill()
        self.channel.close()
        self.pictures.close()
        status = await self.wait()
        await self._relay
        return status


StartWorker = Callable[[str, str, Clock], Awaitable[WorkerProcess]]


async def _spawn(program: Sequence[str], channel: socket.socket, pictures: socket.socket) -> Process:
    inherited = (channel.fileno(), pictures.fileno())
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        *program,
        "--channel",
        str(inherited[0]),
        "--pictures",
        str(inherited[1]),
        pass_fds=inherited,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env=child_environment(os.environ),
        start_new_session=True,
    )


def child_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a child gets of our environment: no secret of the configuration, pinned threads, the same code."""
    passed = {name: ours[name] for name in _PASSED_ON if name in ours}
    return passed | _PINNED | {"PYTHONPATH": str(Path(gateway.__file__).parents[1])}
