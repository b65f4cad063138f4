"""Answers to a client in the order of its packets (§4.6), each only once what it promises has come true."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from gateway.alarms.reasons import Reason
from gateway.errors import GatewayError

_log = logging.getLogger(__name__)

Answer = Callable[[Reason], object]


class AnswerQueue:
    """Holds answers back until their turn.

    Args:
        on_failure: told that something could not be stored; nothing behind it is answered.
        on_progress: told whenever one was answered.
    """

    def __init__(self, on_failure: Callable[[GatewayError], None], on_progress: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self._on_progress = on_progress
        self._waiting: deque[tuple[asyncio.Future[Any] | Reason, Answer]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, outcome: "asyncio.Future[Any] | Reason", answer: Answer) -> None:
        """Call `answer` behind those before it, once `outcome` is known, with its reason (a result None: success)."""
        if isinstance(outcome, Reason) and not self._waiting:
            answer(outcome)
            return
        self._waiting.append((outcome, answer))
        if not isinstance(outcome, Reason):
            outcome.add_done_callback(self._go_on)

    def _go_on(self, _done: "asyncio.Future[Any]") -> None:
        waiting = self._waiting
        while waiting:
            outcome, answer = waiting[0]
            if not isinstance(outcome, Reason):
                if not outcome.done():
                    break
                error = None if outcome.cancelled() else outcome.exception()
                if outcome.cancelled() or error is not None:
                    waiting.clear()
                    self._fail(error)
                    break
                result = outcome.result()
                outcome = result if isinstance(result, Reason) else Reason.SUCCESS
            waiting.popleft()
            answer(outcome)
        self._on_progress()

    def _fail(self, error: BaseException | None) -> None:
        if error is None or isinstance(error, GatewayError):
            self._on_failure(error if isinstance(error, GatewayError) else GatewayError("the gateway is stopping"))
            return
        self._on_failure(GatewayError(type(error).__name__))
        raise error


async def nobody_wants(stored: "asyncio.Future[Any]") -> Reason:
    """What is said once a message is kept that no filter takes (§3.4.2.1)."""
    await stored
    return Reason.NO_MATCHING_SUBSCRIBERS


async def reason_of(stored: "asyncio.Future[Any]") -> Reason:
    """Whether something could be stored, as a reason."""
    try:
        await stored
    except GatewayError as error:
        _log.error("sessions could not be stored: %s", error)
        return Reason.UNSPECIFIED_ERROR
    return Reason.SUCCESS
