"""Whose packets are taken next: a little of each client in each turn of the loop, so that none holds up a press."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

_TURN_SECONDS = 0.001
_SLICE_SECONDS = 0.0005
_REST_SECONDS = 0.00025


class Client(Protocol):
    """A connection, as far as its packets wait to be taken."""

    def take_packets(self, ends: float) -> bool:
        """Take some until the clock says `ends`, at least one; whether more wait."""
        ...


class Turns:
    """Lets a client's packets be taken at once while this turn of the loop has time left, or else in a later one.

    Who has more to say than one slice waits behind all that have less: a button's press does not wait for a flood.
    One packet is never divided, so a slice may last longer by what one packet costs.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._used = 0.0
        self._new: deque[Client] = deque()
        self._rest: deque[Client] = deque()
        self._waiting: set[Client] = set()
        self._serving: Client | None = None
        self._next: asyncio.Handle | None = None

    def ask(self, client: Client) -> bool:
        """Take a client's packets, now or soon; whether some of them wait."""
        if client is self._serving or client in self._waiting:
            return client in self._waiting
        if self._serving is None and not self._new and self._used < _TURN_SECONDS:
            self._serve(client, min(_SLICE_SECONDS, _TURN_SECONDS - self._used))
        else:
            self._wait(client, self._new)
        self._plan()
        return client in self._waiting

    def stop(self) -> None:
        """Take no more."""
        self._new.clear()
        self._rest.clear()
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()

    def _plan(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._next = None
        self._used = 0.0
        self._work_off(self._new, _SLICE_SECONDS)
        self._work_off(self._rest, _REST_SECONDS)
        if self._waiting:
            self._plan()

    def _work_off(self, lane: deque[Client], seconds: float) -> None:
        until = self._used + seconds
        while lane and self._used < until:
            client = lane.popleft()
            self._waiting.discard(client)
            self._serve(client, until - self._used)

    def _serve(self, client: Client, seconds: float) -> None:
        began = self.clock()
        self._serving = client
        try:
            more = client.take_packets(began + seconds)
        finally:
            self._serving = None
            self._used += self.clock() - began
        if more:
            self._wait(client, self._rest)

    def _wait(self, client: Client, lane: deque[Client]) -> None:
        self._waiting.add(client)
        lane.append(client)
