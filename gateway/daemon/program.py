"""The daemon as a program: its loop, its signals, its exit code."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from gateway.daemon.garbage import tame
from gateway.daemon.house import run_house
from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.workers import take_short_turns

_log = logging.getLogger(__name__)
_KILLED_BY_SIGNAL = 128
_OPEN_FILES = 65_536
# What the journal's thread waits for a busy loop, several times in each commit; Python's own 5 ms make that 100 ms.
_SWITCH_SECONDS = 0.0002


StopSetter = Callable[[Callable[[], None]], None]


def run_daemon(settings: Settings, *, file: str) -> None:
    """Run a gateway until SIGTERM, SIGINT or the end of its terminal; a second signal ends the process at once.

    Raises:
        GatewayError: it cannot be opened, or the disk failed.
    """
    run_until_signal(lambda on_stop: run_house(settings, file=file, on_stop=on_stop))


def run_until_signal(work: Callable[[StopSetter], Coroutine[Any, Any, None]]) -> None:
    """Run `work` on a loop of its own; it is given the setter of what a signal calls.

    Raises:
        GatewayError: of the work, freed of its groups.
    """
    os.umask(0o077)
    _allow_open_files()
    take_short_turns()
    tame()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(work(_end_on_signals))
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _allow_open_files() -> None:
    """Take what the system allows: a thousand, the usual soft limit, is little for buttons and screens together."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _OPEN_FILES) if hard > 0 else _OPEN_FILES, hard))


def _end_on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    asked = False

    def handle(number: int) -> None:
        nonlocal asked
        if asked:
            os._exit(_KILLED_BY_SIGNAL + number)
        asked = True
        stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
            loop.add_signal_handler(number, handle, number)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that matters: one of the gateway's own if there is one."""
    flat: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        error = pending.pop(0)
        if isinstance(error, BaseExceptionGroup):
            pending += error.exceptions
        else:
            flat.append(error)
    for error in flat:
        if not isinstance(error, GatewayError):
            _log.error("unexpected error", exc_info=error)
    return next((error for error in flat if isinstance(error, GatewayError)), flat[0])
