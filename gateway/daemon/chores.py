"""What is done by the clock: expiry of people, end of evidence, the loop's lag, the watchdog."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from gateway.api import WatchList
from gateway.clock import Clock
from gateway.daemon.notify import ServiceManager
from gateway.errors import TransientError
from gateway.events import Cause, Event, FaceVerified, because
from gateway.settings import EvidenceSettings
from gateway.storage import Incident, StorageFailedError, Stores

_EXPIRY_SECONDS = 0.5
_PURGE_SECONDS = 600.0
_LAG_SECONDS = 0.1
_WATCHDOG_SECONDS = 5.0
_SMOOTHING = 0.2
_DISK_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
_HEALED_SECONDS = 15.0
_log = logging.getLogger(__name__)


class Failing:
    """Which endless tasks fail now: each until it has run for a while since its last failure."""

    def __init__(self) -> None:
        self._over: dict[str, asyncio.TimerHandle] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted(self._over))

    def note(self, name: str) -> None:
        """It failed just now."""
        if (before := self._over.pop(name, None)) is not None:
            before.cancel()
        self._over[name] = asyncio.get_running_loop().call_later(_HEALED_SECONDS, self._over.pop, name)


async def keep_going(
    work: Callable[[], Awaitable[None]],
    name: str,
    report: Callable[[Cause], Awaitable[None]],
    failing: Failing,
) -> None:
    """Run an endless task; neither what is temporary, such as a full disk, nor a fault of ours ends it.

    Presses are taken in the same group of tasks: an exception that climbed would end them, and at each start again.

    Args:
        work: the task.
        name: for messages.
        report: told the fault, once until the task has run for a while.
        failing: told each time.
    """
    told: str | None = None
    while True:
        try:
            await work()
        except TransientError as error:
            _log.error("%s waits: %s", name, error)
            await asyncio.sleep(_RETRY_SECONDS)
        except StorageFailedError:
            raise
        except Exception as error:  # whatever it is: the alarm path goes on
            failing.note(name)
            kind = type(error).__name__
            if kind != told:
                _log.exception("%s failed and begins anew", name, exc_info=error)
                await _tell(report, because("task_failed", f"{name}: {kind}", task=name, error=kind))
            told = kind
            await asyncio.sleep(_PAUSE_SECONDS)


async def without_harm(
    work: Callable[[], Awaitable[None]], name: str, report: Callable[[Cause], Awaitable[None]]
) -> None:
    """Run what cannot begin anew: a fault of ours ends it alone, and is told; presses are taken all the same.

    Args:
        work: the task; it ends when it is asked to.
        name: for messages.
        report: told the fault.
    """
    try:
        await work()
    except StorageFailedError:
        raise
    except Exception as error:  # whatever it is: the alarm path goes on
        kind = type(error).__name__
        _log.exception("%s failed; only a restart of the gateway brings it back", name, exc_info=error)
        await _tell(report, because("task_ended", f"{name}: {kind}: restart the gateway", task=name, error=kind))


async def _tell(report: Callable[[Cause], Awaitable[None]], cause: Cause) -> None:
    with suppress(TransientError):
        await report(cause)


class Chores:
    """The daemon's housekeeping."""

    def __init__(
        self,
        stores: Stores,
        watchlist: WatchList,
        settings: EvidenceSettings,
        clock: Clock,
        manager: ServiceManager,
    ) -> None:
        self._stores = stores
        self._watchlist = watchlist
        self._settings = settings
        self._clock = clock
        self._manager = manager
        self._verified: asyncio.Queue[FaceVerified] = asyncio.Queue()
        self._keeping: FaceVerified | None = None
        self.loop_lag_ms = 0.0

    async def expire_people(self) -> None:
        """Take people out of every gallery within a second of their time, for ever; notice what commands changed."""
        while True:
            await self._watchlist.notice()
            due = await self._stores.watchlist.next_expiry()
            if due is not None and due <= self._clock.now():
                await self._watchlist.expire(self._clock.now())
            await asyncio.sleep(_EXPIRY_SECONDS)

    async def purge_evidence(self) -> None:
        """Destroy evidence whose time has come, with a record, for ever."""
        while True:
            purged = await self._stores.evidence.purge_due(self._clock.now())
            await self._watchlist.record_purged(purged, "its time had come")
            await self._stores.accounts.sweep(self._clock.now())
            await asyncio.sleep(_PURGE_SECONDS)

    async def watch_disk(self) -> None:
        """Take the reserve back once the disk has room for it, for ever."""
        while True:
            if not self._stores.ballast.held and await asyncio.to_thread(self._stores.ballast.take):
                self._stores.journal.note_room()
                _log.info("the reserve is there again")
            await asyncio.sleep(_DISK_SECONDS)

    def note_transition(self, _incident: Incident, event: Event) -> None:
        """Remember a judgement, so that its evidence is kept as long as it should be."""
        if isinstance(event, FaceVerified):
            self._verified.put_nowait(event)

    async def keep_judged(self) -> None:
        """Keep the evidence of a confirmed match longer, for ever; what a full disk refuses is kept by the next run."""
        while True:
            event = self._keeping = self._keeping or await self._verified.get()
            confirmed = event.verdict == "confirmed"
            days = self._settings.confirmed_days if confirmed else self._settings.unconfirmed_days
            await self._stores.evidence.keep_until(event.match, event.time + timedelta(days=days))
            self._keeping = None

    async def measure_lag(self) -> None:
        """Measure how late the loop is, for ever."""
        while True:
            before = self._clock.monotonic()
            await asyncio.sleep(_LAG_SECONDS)
            late = (self._clock.monotonic() - before - _LAG_SECONDS) * 1e3
            self.loop_lag_ms += _SMOOTHING * (max(0.0, late) - self.loop_lag_ms)

    async def feed_watchdog(self) -> None:
        """Tell systemd that the loop turns, for ever."""
        while True:
            self._manager.alive()
            await asyncio.sleep(_WATCHDOG_SECONDS)
