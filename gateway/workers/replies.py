"""Pairs replies with their requests, each with a time-out."""

import asyncio
from collections.abc import Callable

from gateway.errors import TransientError
from gateway.wire import Message


class WorkerAwayError(TransientError):
    """The child that would answer is not there, or did not answer in time."""

    code = "worker_away"


class Replies:
    """The requests of one child that wait for an answer.

    Args:
        worker: the child's name, for errors.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._last = 0

    async def ask(self, send: Callable[[int], bool], seconds: float) -> Message:
        """Send a request and wait for its reply.

        Args:
            send: sends the request under the number given; False if the child cannot take it now.
            seconds: how long to wait for the reply.

        Raises:
            WorkerAwayError: the child is away, dies meanwhile or is silent.
        """
        self._last += 1
        number = self._last
        waiter = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if not send(number):
                raise self.away("cannot take a request now")
            return await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            raise self.away(f"did not answer within {seconds:g} s") from None
        finally:
            self._waiting.pop(number, None)

    def answer(self, number: int, reply: Message) -> None:
        """A reply came; one that nobody waits for any more is dropped."""
        waiter = self._waiting.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(reply)

    def fail_all(self) -> None:
        """The child is gone: everybody who waits gets a WorkerAwayError."""
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(self.away("ended before it answered"))

    def away(self, what: str) -> WorkerAwayError:
        """The error that says what the child did."""
        return WorkerAwayError(f"the child {self._worker} {what}", remedy="Try again in a moment.")
