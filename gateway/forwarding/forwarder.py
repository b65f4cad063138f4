"""One loop per destination: at least once, in order per source, critical first, for ever while something waits."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.events import (
    DestinationFailing,
    DestinationRecovered,
    Event,
    Severity,
    UnknownEvent,
    encode,
    gateway_source,
    new_id,
)
from gateway.forwarding.lanes import Lanes, Waiting
from gateway.forwarding.ledger import Ledger
from gateway.forwarding.ports import JournalPort, OutboxPort
from gateway.forwarding.sinks import Outcome, Sink, Verdict
from gateway.settings import DestinationSettings, ForwardingSettings
from gateway.storage import Delivery, EventFilter, Stored, type_of

_WINDOW = 1000
_AT_ONCE = 4
_CRITICAL_AT_ONCE = 4
_POLL_SECONDS = 5.0
_JITTER = 0.1
_ORDER = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationStatus:
    """How a destination is.

    Attributes:
        state: ok, failing, or new before its first answer.
        backlog: events that it has not got yet.
        oldest: when the oldest of them happened; None if there is none.
        refused: how many it refused for good since the start.
    """

    destination: str
    state: str
    backlog: int
    oldest: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    refused: int = 0


class Forwarder:
    """Brings the journal to one destination.

    Args:
        destination: its entry.
        site: for the sources of events about it.
        sink: its driver.
        report: journals an event about it.
        start: a new destination gets what lies behind this position.
    """

    def __init__(
        self,
        destination: DestinationSettings,
        *,
        site: str,
        journal: JournalPort,
        outbox: OutboxPort,
        sink: Sink,
        report: Callable[[Event], Awaitable[object]],
        clock: Clock,
        settings: ForwardingSettings,
        start: int = 0,
    ) -> None:
        self._destination = destination
        self._site = site
        self._journal = journal
        self._outbox = outbox
        self._sink = sink
        self._report = report
        self._clock = clock
        self._waits: Sequence[float] = settings.retry_seconds
        self._failing_after = settings.failing_after_tries
        self._start = start
        self._lanes = Lanes()
        self._ledger = Ledger(start, ())
        self._read = 0
        self._read_critical = 0
        self._poke = asyncio.Event()
        self._tries: set[asyncio.Task[None]] = set()
        self._busy = {True: 0, False: 0}
        self._failing = False
        self._failures = 0
        self._waited = 0
        self._written_low = 0
        self._last_success: datetime | None = None
        self._last_error = ("", None)  # type: tuple[str, datetime | None]
        self._refused = 0

    @property
    def status(self) -> DestinationStatus:
        """How the destination is now."""
        oldest = self._lanes.oldest()
        beyond = max(0, self._journal.last_position - self._read)
        state = "failing" if self._failing else "ok" if self._last_success else "new"
        return DestinationStatus(
            destination=self._destination.id,
            state=state,
            backlog=len(self._lanes) + beyond,
            oldest=oldest.event.time if oldest else None,
            last_success=self._last_success,
            last_error=self._last_error[0],
            last_error_at=self._last_error[1],
            refused=self._refused,
        )

    def retry_now(self) -> None:
        """Try everything that waits at once."""
        self._lanes.hurry()
        self._poke.set()

    async def run(self) -> None:
        """Deliver, until cancelled; what is in flight then is tried again by the next run."""
        state = await self._outbox.open(self._destination.id, self._start)
        self._ledger = Ledger(state.low, state.settled)
        self._read = self._read_critical = self._written_low = state.low
        try:
            with self._journal.subscribe() as subscription:
                while True:
                    self._poke.clear()
                    try:
                        await self._fill()
                    except TransientError as error:
                        _log.error("destination %s waits for the store: %s", self._destination.id, error)
                    self._begin_tries()
                    await self._wait(subscription.wait(self._journal.last_position))
        finally:
            for task in self._tries:
                task.cancel()
            await asyncio.gather(*self._tries, return_exceptions=True)
            await self._sink.close()

    async def _fill(self) -> None:
        """Read on while there is room; critical events also beyond the window."""
        while len(self._lanes) < _WINDOW and self._read < self._journal.last_position:
            page = await self._journal.read(self._read, _WINDOW)
            for stored in page:
                self._admit(stored)
                self._read = stored.position
            if not page:
                break
        self._read_critical = max(self._read_critical, self._read)
        if self._read_critical < self._journal.last_position:
            wanted = EventFilter(severities=(Severity.CRITICAL,))
            for stored in await self._journal.read(self._read_critical, _WINDOW, wanted):
                self._admit(stored)
                self._read_critical = stored.position
        if self._ledger.low - self._written_low >= _WINDOW:
            await self._write_low()

    def _admit(self, stored: Stored) -> None:
        if self._ledger.has(stored.position):
            return
        if self._wants(stored.event):
            self._lanes.add(stored)
        else:
            self._ledger.settle(stored.position)

    def _wants(self, event: Event) -> bool:
        if getattr(event, "destination", None) == self._destination.id:
            return False
        prefixes = self._destination.events
        least = _ORDER.index(Severity(self._destination.minimum_severity))
        return _ORDER.index(event.severity) <= least and (not prefixes or type_of(event).startswith(prefixes))

    async def _write_low(self) -> None:
        self._written_low = self._ledger.low
        await self._outbox.settle(self._destination.id, self._ledger.low, low=self._ledger.low)

    def _begin_tries(self) -> None:
        for waiting in self._lanes.ready(self._clock.monotonic()):
            if self._busy[waiting.critical] >= (_CRITICAL_AT_ONCE if waiting.critical else _AT_ONCE):
                continue
            waiting.in_flight = True
            self._busy[waiting.critical] += 1
            task = asyncio.create_task(self._try(waiting), name=f"delivery to {self._destination.id}")
            self._tries.add(task)
            task.add_done_callback(self._tried)

    def _tried(self, task: asyncio.Task[None]) -> None:
        self._tries.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("delivery to %s: %s", self._destination.id, error)
        self._poke.set()

    async def _try(self, waiting: Waiting) -> None:
        try:
            outcome = await self._sink.deliver(waiting.stored)
            waiting.attempts += 1
            await self._judge(waiting, outcome)
        finally:
            waiting.in_flight = False
            self._busy[waiting.critical] -= 1

    async def _judge(self, waiting: Waiting, outcome: Outcome) -> None:
        stored = waiting.stored
        if outcome.verdict is Verdict.RETRY:
            await self._postpone(waiting, outcome)
            return
        low = self._ledger.settle(stored.position)
        self._lanes.done(waiting)
        name, now = self._destination.id, self._clock.now()
        if outcome.verdict is Verdict.ACCEPTED:
            self._last_success = now
            await self._outbox.settle(name, stored.position, low=low)
            await self._outbox.record(name, self._delivery(waiting, "accepted", ""))
            await self._succeeded()
        else:
            self._refused += 1
            await self._outbox.refuse(name, stored.position, stored.event.id, outcome.reason, low=low, at=now)
            await self._outbox.record(name, self._delivery(waiting, "refused", outcome.reason))
            self._last_error = (outcome.reason, now)
            await self._report(self._failing_event(outcome.reason, refused=stored.event.id))
        self._written_low = low

    async def _postpone(self, waiting: Waiting, outcome: Outcome) -> None:
        wait = self._waits[min(waiting.attempts, len(self._waits) - 1)]
        wait = outcome.retry_after if outcome.retry_after is not None else wait
        waiting.not_before = self._clock.monotonic() + wait * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # jitter
        self._failures += 1
        self._last_error = (outcome.reason, self._clock.now())
        if self._failures >= self._failing_after and not self._failing:
            self._failing = True
            await self._outbox.record(self._destination.id, self._delivery(waiting, "retrying", outcome.reason))
            await self._report(self._failing_event(outcome.reason))

    async def _succeeded(self) -> None:
        self._failures = 0
        if self._failing:
            self._failing = False
            event = DestinationRecovered(
                id=new_id(),
                source=gateway_source(self._site),
                subject=self._destination.id,
                time=self._clock.now(),
                destination=self._destination.id,
                waited=len(self._lanes),
            )
            await self._report(event)

    def _failing_event(self, reason: str, refused: str | None = None) -> DestinationFailing:
        return DestinationFailing(
            id=new_id(),
            source=gateway_source(self._site),
            subject=self._destination.id,
            time=self._clock.now(),
            severity=Severity.HIGH,
            destination=self._destination.id,
            reason=reason,
            refused=refused,
        )

    def _delivery(self, waiting: Waiting, state: str, error: str) -> Delivery:
        stored = waiting.stored
        return Delivery(stored.position, stored.event.id, state, waiting.attempts, error, self._clock.now())

    async def _wait(self, growth: Awaitable[int]) -> None:
        next_try = self._lanes.next_try()
        wait = _POLL_SECONDS if next_try is None else min(_POLL_SECONDS, next_try - self._clock.monotonic())
        tasks = [asyncio.ensure_future(growth), asyncio.ensure_future(self._poke.wait())]
        if self._busy_everywhere():
            wait = _POLL_SECONDS
        try:
            await asyncio.wait(tasks, timeout=max(0.0, wait), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _busy_everywhere(self) -> bool:
        """Whether what is ready waits for a free place, which a finished try announces."""
        ready = self._lanes.ready(self._clock.monotonic())
        full = {True: self._busy[True] >= _CRITICAL_AT_ONCE, False: self._busy[False] >= _AT_ONCE}
        return bool(ready) and all(full[each.critical] for each in ready)

    async def test(self) -> Outcome:
        """Send a test event that is not in the journal; the receiver's answer."""
        event = UnknownEvent(
            id=new_id(),
            source=gateway_source(self._site),
            subject=self._destination.id,
            time=self._clock.now(),
            type="campus.gateway.test",
            data='{"test": true}',
        )
        return await self._sink.deliver(Stored(0, event, encode(event)))

    async def retry_dead(self, stored: Stored) -> Outcome:
        """Try a dead letter once more; accepted, it is one no longer."""
        outcome = await self._sink.deliver(stored)
        if outcome.verdict is Verdict.ACCEPTED:
            await self._outbox.remove_dead(self._destination.id, stored.position)
        return outcome
