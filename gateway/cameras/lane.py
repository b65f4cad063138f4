"""Runs blocking calls to one camera in a thread, one at a time, behind an async face with a deadline."""

import asyncio
import contextlib
import logging
import threading
import traceback
from collections.abc import Callable
from typing import TypeVar

from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraState, camera_error
from gateway.errors import GatewayError

_LOG = logging.getLogger(__name__)
Result = TypeVar("Result")


class Lane:
    """One camera's calls, one after the other: cheap firmwares restart under load.

    A call that outlives its deadline is cut off from the camera, and ends in its daemon thread, which keeps no process
    alive; the next call waits for it, within its own deadline.

    Args:
        where: the camera, for messages.
        deadline_seconds: of each call.
        cut_off: ends what a call waits for, from any thread: a camera may answer a byte a second for hours.
    """

    def __init__(self, where: str, deadline_seconds: float, cut_off: Callable[[], None] = lambda: None) -> None:
        self._where = where
        self._deadline_seconds = deadline_seconds
        self._cut_off = cut_off
        self._free = asyncio.Semaphore()

    async def run(self, call: Callable[[], Result], deadline_seconds: float | None = None) -> Result:
        """What `call` returns or raises, within the lane's deadline or another one.

        Raises:
            CameraError: `UNREACHABLE` after the deadline; `NOT_ONVIF` if `call` raised what is no error of ours.
        """
        deadline = self._deadline_seconds if deadline_seconds is None else deadline_seconds
        begun = False
        try:
            async with asyncio.timeout(deadline):
                await self._free.acquire()
                begun = True
                return await self._start(call)
        except TimeoutError:
            if begun:
                self._cut_off()
            what = f"the camera took longer than {deadline:g} s"
            raise camera_error(CameraState.UNREACHABLE, what, where=self._where) from None

    def _told(self, error: Exception) -> Exception:
        """What a call raises; whatever a camera's answer made of our libraries is a state of the camera."""
        if isinstance(error, GatewayError | FaultError):
            return error
        place = traceback.extract_tb(error.__traceback__)[-1]  # the text may hold what the camera was told
        _LOG.warning("the answer of %s: %s in %s", self._where, type(error).__name__, place.name)
        what = f"its answer cannot be read ({type(error).__name__})"
        return camera_error(CameraState.NOT_ONVIF, what, where=self._where)

    def _start(self, call: Callable[[], Result]) -> "asyncio.Future[Result]":
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Result] = loop.create_future()

        def finish(settle: Callable[[], None]) -> None:
            self._free.release()
            if not outcome.done():
                settle()

        def work() -> None:
            try:
                result = call()
            except Exception as error:
                told = self._told(error)
                _tell(loop, lambda: finish(lambda: outcome.set_exception(told)))
            else:
                _tell(loop, lambda: finish(lambda: outcome.set_result(result)))

        threading.Thread(target=work, name=f"camera {self._where}", daemon=True).start()
        return outcome


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    """Hand the outcome over; a loop that has ended meanwhile needs none."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
