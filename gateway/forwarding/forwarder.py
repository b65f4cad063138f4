"""One loop per destination: at least once, in order per source, critical first, for ever while something waits."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.events import DestinationFailing, DestinationRecovered, Event, UnknownEvent, encode, gateway_source, new_id
from gateway.forwarding.intake import Intake, wants
from gateway.forwarding.lanes import Lanes, Waiting
from gateway.forwarding.ledger import Ledger
from gateway.forwarding.pace import Pace
from gateway.forwarding.ports import JournalPort, OutboxPort
from gateway.forwarding.sinks import Outcome, Sink, Verdict
from gateway.forwarding.standing import DestinationStatus, Standing
from gateway.settings import DestinationSettings, ForwardingSettings
from gateway.storage import Delivery, EventFilter, Stored

_AT_ONCE = 4
_URGENT_AT_ONCE = 4
_PROBES = 1
_POLL_SECONDS = 5.0
_STORE_RETRY_SECONDS = 1.0
_LOW_STEP = 1000
_JITTER = 0.1
_SAID = EventFilter(types=(DestinationFailing.TYPE, DestinationRecovered.TYPE))
_SAID_LIMIT = 500
_log = logging.getLogger(__name__)


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
        self._start = start
        self._failing_after = settings.failing_after_tries
        self._standing = Standing(
            destination.id, name=destination.name, site=site, clock=clock, failing_after=self._failing_after
        )
        self._pace = Pace(clock, journal.last_position)
        self._poke = asyncio.Event()
        self._tries: set[asyncio.Task[None]] = set()
        self._dead = 0
        self._begin(Ledger(start, ()))

    def _begin(self, ledger: Ledger) -> None:
        self._lanes = Lanes()
        self._ledger = ledger
        self._intake = Intake(self._journal, self._lanes, ledger, lambda event: wants(self._destination, event))
        self._written_low = ledger.low
        self._busy = {True: 0, False: 0}

    @property
    def status(self) -> DestinationStatus:
        """How the destination is now."""
        oldest, standing = self._lanes.oldest(), self._standing
        return DestinationStatus(
            destination=self._destination.id,
            state=standing.state,
            backlog=len(self._lanes) + self._lanes.missing + self._intake.unread,
            tries=oldest.attempts if oldest else 0,
            dead=self._dead,
            oldest=oldest.stored.event.time if oldest else None,
            last_success=standing.last_success,
            last_error=standing.last_error,
            last_error_at=standing.last_error_at,
            refused=standing.refused,
        )

    def retry_now(self) -> None:
        """Try everything that waits at once."""
        self._lanes.hurry()
        self._poke.set()

    async def run(self) -> None:
        """Deliver, until cancelled; what is in flight then is tried again by the next run."""
        state = await self._outbox.open(self._destination.id, self._start)
        self._begin(Ledger(state.low, state.settled))
        self._dead = state.dead
        self._standing.remember([each.event for each in await self._journal.tail(_SAID_LIMIT, _SAID)])
        try:
            with self._journal.subscribe() as subscription:
                while True:
                    self._poke.clear()
                    seen = self._journal.last_position
                    await self._prepare()
                    self._begin_tries()
                    await self._wait(subscription.wait(seen))
        finally:
            for task in self._tries:
                task.cancel()
            await asyncio.gather(*self._tries, return_exceptions=True)

    async def close(self) -> None:
        """Let the receiver's connections go; for good."""
        await self._sink.close()

    async def _prepare(self) -> None:
        try:
            if await self._intake.fill():
                self._poke.set()
            if self._ledger.low - self._written_low >= _LOW_STEP:
                low = self._ledger.low
                await self._outbox.settle(self._destination.id, low, low=low)
                self._written_low = low
            while self._standing.to_say:
                await self._report(self._standing.to_say[0])
                self._standing.to_say.pop(0)
        except TransientError as error:
            _log.error("destination %s waits for the store: %s", self._destination.id, error)

    def _begin_tries(self) -> None:
        rush = self._pace.rushes(self._journal.last_position)
        for waiting in self._lanes.ready(self._clock.monotonic()):
            urgent = waiting.urgent
            if self._busy[urgent] >= (1 if rush else self._room(urgent=urgent)):
                continue
            waiting.in_flight = True
            self._busy[urgent] += 1
            task = asyncio.create_task(self._try(waiting, urgent=urgent), name=f"delivery to {self._destination.id}")
            self._tries.add(task)
            task.add_done_callback(self._tried)

    def _room(self, *, urgent: bool) -> int:
        """How many may be tried at once; one that is down is asked with one event at a time, and each urgent one."""
        if urgent:
            return _URGENT_AT_ONCE
        return _PROBES if self._standing.down else _AT_ONCE

    def _tried(self, task: asyncio.Task[None]) -> None:
        self._tries.discard(task)
        self._poke.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("destination %s: an outcome was not kept: %s", self._destination.id, type(error).__name__)

    async def _try(self, waiting: Waiting, *, urgent: bool) -> None:
        waiting.not_before = self._clock.monotonic() + _STORE_RETRY_SECONDS  # unless its outcome says another time
        try:
            outcome = waiting.outcome or await self._attempt(waiting)
            if outcome.verdict is Verdict.RETRY:
                await self._postpone(waiting, outcome)
            else:
                waiting.outcome = outcome
                await self._settle(waiting, outcome)
        except TransientError as error:
            _log.error("destination %s waits for the store: %s", self._destination.id, error)
        finally:
            waiting.in_flight = False
            self._busy[urgent] -= 1

    async def _attempt(self, waiting: Waiting) -> Outcome:
        outcome = await self._deliver(waiting.stored)
        if outcome.verdict is Verdict.RETRY:
            self._standing.unanswered(outcome.reason, tries=waiting.attempts + 1)
            return outcome
        if outcome.verdict is Verdict.ACCEPTED:
            stuck = self._lanes.stuck(self._failing_after, besides=waiting)
            was_down = self._standing.accepted(waiting=len(self._lanes) - 1, stuck=stuck)
            self._lanes.took_one()
        else:
            was_down = self._standing.refused_one(waiting.stored, outcome.reason)
        if was_down:
            self.retry_now()
        return outcome

    async def _deliver(self, stored: Stored) -> Outcome:
        try:
            return await self._sink.deliver(stored)
        except Exception as error:  # a fault in a driver is a failed try, and never the end of the loop
            _log.error("the driver of %s failed: %s", self._destination.id, type(error).__name__)
            return Outcome(Verdict.RETRY, f"the driver failed ({type(error).__name__})")

    async def _settle(self, waiting: Waiting, outcome: Outcome) -> None:
        """Keep the receiver's last word; only then is the event off the lane."""
        name, stored, now = self._destination.id, waiting.stored, self._clock.now()
        low = self._ledger.low_with(stored.position)
        delivery = self._delivery(waiting, outcome, attempts=waiting.attempts + 1)
        if outcome.verdict is Verdict.ACCEPTED:
            kept = self._outbox.settle(name, stored.position, low=low)
        else:
            kept = self._outbox.refuse(name, stored.position, stored.event.id, outcome.reason, low=low, at=now)
        await asyncio.gather(kept, self._outbox.record(name, delivery))  # together: one sync of the disk
        self._dead += outcome.verdict is Verdict.REFUSED
        self._ledger.settle(stored.position)
        self._lanes.done(waiting)
        self._written_low = max(self._written_low, low)

    async def _postpone(self, waiting: Waiting, outcome: Outcome) -> None:
        wait = self._waits[min(waiting.attempts + 1, len(self._waits) - 1)]
        wait = max(wait, outcome.retry_after or 0.0) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # jitter
        self._lanes.failed(waiting, self._clock.monotonic() + wait)
        if waiting.attempts == 1:
            delivery = self._delivery(waiting, outcome, attempts=1)
            await self._outbox.record(self._destination.id, delivery)

    def _delivery(self, waiting: Waiting, outcome: Outcome, *, attempts: int) -> Delivery:
        stored, state = waiting.stored, "retrying" if outcome.verdict is Verdict.RETRY else outcome.verdict.value
        return Delivery(stored.position, stored.event.id, state, attempts, outcome.reason, self._clock.now())

    async def _wait(self, growth: Awaitable[int]) -> None:
        """Wait for the journal, the end of a try, the next retry, or the slow poll."""
        now = self._clock.monotonic()
        next_try = self._lanes.next_try(now)
        wait = _POLL_SECONDS if next_try is None else min(_POLL_SECONDS, next_try - now)
        tasks = [
            asyncio.ensure_future(growth),
            asyncio.ensure_future(self._poke.wait()),
            asyncio.ensure_future(self._clock.sleep(wait)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def test(self) -> Outcome:
        """Send a test event now, past the journal and everything that waits; the receiver's answer."""
        event = UnknownEvent(
            id=new_id(),
            source=gateway_source(self._site),
            subject=self._destination.id,
            time=self._clock.now(),
            type="campus.gateway.test",
            data='{"test": true}',
        )
        return await self._deliver(Stored(0, event, encode(event)))

    async def retry_dead(self, stored: Stored) -> Outcome:
        """Try a dead letter once more; accepted, it is one no longer."""
        outcome = await self._deliver(stored)
        if outcome.verdict is Verdict.ACCEPTED:
            self._dead -= await self._outbox.remove_dead(self._destination.id, stored.position)
        return outcome
