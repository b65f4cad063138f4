"""What thresholds cost: the site's counts to the gallery child, its answer to cameras, interface and alarm of drift."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.events import Cause, FaceMatched, FaceVerified, GatewayFault, Severity, because, gateway_source, new_id
from gateway.storage import DistanceRow, FaceWarning, SeenPassages, Stored, Stores, TemplateRow
from gateway.wire import (
    CalibratedThresholds,
    CalibrationReply,
    CalibrationRequest,
    CountedTracks,
    PassageStatistics,
    SealedRow,
    TracksPerDay,
)
from gateway.workers import WorkerAwayError, Workers

_WINDOW_DAYS, _DRIFT_DAYS = 30, 7
_CONFIRMED = "confirmed"
_TRACK = "track"
_BINS = 151
_PAGE, _SKIPPED = 200, 500
_POLL_SECONDS, _REFRESH_SECONDS = 2.0, 900.0
_log = logging.getLogger(__name__)


class Calibrations:
    """The site's calibration: asks, applies, and watches for drift.

    Args:
        site: for the sources of events.
    """

    def __init__(self, site: str, stores: Stores, workers: Workers, clock: Clock) -> None:
        self._site = site
        self._stores = stores
        self._workers = workers
        self._clock = clock
        self._current: CalibrationReply | None = None
        self._asked = -_REFRESH_SECONDS
        self._revision = -1

    @property
    def current(self) -> CalibrationReply | None:
        """The newest answer, whose thresholds are in use; None before the first."""
        return self._current

    async def ask(self, people: int | None = None, tracks_per_day: float | None = None) -> CalibrationReply:
        """What thresholds mean for the list and the traffic there are, or for others.

        Raises:
            WorkerAwayError: the gallery child is away, or still loads the list.
        """
        today = self._clock.now().date()
        model = self._workers.gallery().fingerprint
        if not model:  # nothing would be found to be counted of no model, and the answer would look like an empty site
            raise WorkerAwayError("the watch-list is being loaded", remedy="Try again in a moment.")
        seen = await self._stores.histograms.seen(today - timedelta(days=_WINDOW_DAYS), model)
        request = calibration_request(seen, today, people=people, tracks_per_day=tracks_per_day)
        return await self._workers.calibrate(request)

    async def run(self) -> None:
        """Keep the thresholds in use on list and traffic, for ever."""
        while True:
            if self._is_due():
                await self._refresh()
            await asyncio.sleep(_POLL_SECONDS)

    def _is_due(self) -> bool:
        gallery = self._workers.gallery()
        aged = self._clock.monotonic() - self._asked >= _REFRESH_SECONDS
        return bool(gallery.fingerprint) and (aged or gallery.revision != self._revision)

    async def _refresh(self) -> None:
        self._asked, self._revision = self._clock.monotonic(), self._workers.gallery().revision
        try:
            reply = await self.ask()
        except GatewayError as error:
            _log.warning("the thresholds stay as they are: %s", error)
            return
        self._current = reply
        if reply.default is not None and reply.in_use is not None:
            self._workers.apply_thresholds(
                CalibratedThresholds(
                    default=reply.default,
                    cameras=reply.cameras,
                    warnings_per_day=reply.in_use.per_day,
                    basis=basis_of(reply),
                    people=reply.people,
                )
            )
        await self._watch_drift(reply)
        await self._stores.histograms.trim(self._clock.now().date() - timedelta(days=_WINDOW_DAYS))

    async def _watch_drift(self, reply: CalibrationReply) -> None:
        """Say once that warnings left what was expected, and once that they are back."""
        before = await self._stores.histograms.drift()
        if reply.drift == before or reply.in_use is None:
            return
        cause = _drift(reply.drift, f"{reply.in_use.at_least:.2g}", f"{reply.in_use.at_most:.2g}")
        event = GatewayFault(
            id=new_id(),
            source=gateway_source(self._site),
            subject="calibration",
            time=self._clock.now(),
            severity=Severity.MEDIUM if reply.drift else Severity.INFO,
            **cause.data,
        )
        await self._stores.journal.append(event)
        await self._stores.histograms.set_drift(reply.drift)

    async def follow(self) -> None:
        """Take in warnings and verdicts from the journal, for ever; the position is kept with them."""
        histograms, journal = self._stores.histograms, self._stores.journal
        position = kept = await histograms.position()
        with journal.subscribe() as subscription:
            while True:
                for stored in await journal.read(position, _PAGE):
                    if await self._take(stored):
                        kept = stored.position
                    position = stored.position
                if position - kept >= _SKIPPED:
                    await histograms.move(position)
                    kept = position
                await subscription.wait(position, None)

    async def _take(self, stored: Stored) -> bool:
        event = stored.event
        if isinstance(event, FaceVerified):
            await self._stores.histograms.judged(stored.position, event.match, event.verdict)
            return True
        if not isinstance(event, FaceMatched) or event.score is None:
            return False
        await self._stores.histograms.warned(stored.position, event.id, event.model, _warning(event))
        return True


def _warning(event: FaceMatched) -> FaceWarning:
    found = {
        "track": event.score,
        "mean": event.distance,
        "median": event.median_distance,
        "look": event.look_distance,
    }
    scores = {rule: distance for rule, distance in found.items() if distance is not None}
    return FaceWarning(
        day=event.time.date(), camera=event.camera, size=event.face_size or "full", people=event.people, scores=scores
    )


def basis_of(reply: CalibrationReply) -> str:
    """Where the figures of the thresholds in use are from: site or factory; configured if set by hand."""
    if reply.configured:
        return "configured"
    return "site" if reply.in_use is not None and reply.in_use.from_site else "factory"


def calibration_request(
    seen: SeenPassages, today: date, *, people: int | None = None, tracks_per_day: float | None = None
) -> CalibrationRequest:
    """The question about a site that has seen this.

    Warnings that nobody confirmed are tracks of strangers like those that nobody was warned of.
    """
    strangers = [each for each in seen.warnings if each.verdict != _CONFIRMED]
    listed = [each for each in seen.warnings if each.verdict == _CONFIRMED]
    unconfirmed = _together([*map(_counted, seen.distances), *_of_warnings(strangers)])
    lately = today - timedelta(days=_DRIFT_DAYS)
    days = sum(seen.days.values()) / max(len(seen.days), 1)
    return CalibrationRequest(
        request=0,
        people=-1 if people is None else people,
        tracks_per_day=-1.0 if tracks_per_day is None else tracks_per_day,
        unconfirmed=unconfirmed,
        confirmed=_together(_of_warnings(listed)),
        traffic=_traffic(unconfirmed, seen),
        warned=sum(each.day > lately for each in strangers),
        warned_days=min(days, float(_DRIFT_DAYS)) if days >= 1 else 0.0,
    )


def _traffic(unconfirmed: Iterable[CountedTracks], seen: SeenPassages) -> tuple[TracksPerDay, ...]:
    """Tracks a day; nothing before a whole day was counted: an hour says nothing of a day."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for each in unconfirmed:
        if each.rule == _TRACK:
            totals[each.camera, each.size] += sum(each.counts)
    return tuple(
        TracksPerDay(camera=camera, size=size, per_day=total / seen.days[camera])
        for (camera, size), total in totals.items()
        if seen.days.get(camera, 0.0) >= 1
    )


def _counted(row: DistanceRow) -> CountedTracks:
    return CountedTracks(camera=row.camera, size=row.size, rule=row.rule, people=row.people, counts=row.counts)


def _of_warnings(warnings: Sequence[FaceWarning]) -> Iterable[CountedTracks]:
    for each in warnings:
        for rule, distance in each.scores.items():
            counts = [0] * _BINS
            counts[min(_BINS - 1, max(0, int(distance * 100 + 1e-9)))] = 1
            yield CountedTracks(camera=each.camera, size=each.size, rule=rule, people=each.people, counts=tuple(counts))


def _together(rows: Iterable[CountedTracks]) -> tuple[CountedTracks, ...]:
    sums: dict[tuple[str, str, str, int], list[int]] = defaultdict(lambda: [0] * _BINS)
    for row in rows:
        kept = sums[row.camera, row.size, row.rule, row.people]
        for number, count in enumerate(row.counts):
            kept[number] += count
    return tuple(
        CountedTracks(camera=camera, size=size, rule=rule, people=people, counts=tuple(counts))
        for (camera, size, rule, people), counts in sums.items()
    )


def counted_rows(statistics: PassageStatistics) -> list[DistanceRow]:
    """What a child counted, as the store keeps it."""
    return [
        DistanceRow(
            camera=statistics.camera, size=each.size, rule=each.rule, people=statistics.people, counts=each.counts
        )
        for each in statistics.distances
    ]


def sealed_rows(rows: Sequence[TemplateRow]) -> list[SealedRow]:
    """The store's rows as they cross to the gallery child."""
    return [
        SealedRow(
            person=row.person,
            category=row.category,
            photo=row.photo,
            wrapped_key=row.wrapped_key,
            template=row.template,
            fingerprint=row.fingerprint,
        )
        for row in rows
    ]


def _drift(drift: str, least: str, most: str) -> Cause:
    """What is told of the rate of warnings: above, below, or as expected again."""
    expected = f"expected were {least} to {most} a day"
    if drift == "above":
        what = f"more face warnings that nobody confirmed than expected ({expected}): did a camera change?"
        return because("false_warning_rate_above", what, least=least, most=most)
    if drift == "below":
        what = f"fewer face warnings than expected ({expected}): do the cameras still see faces?"
        return because("false_warning_rate_below", what, least=least, most=most)
    what = f"face warnings are as expected again ({expected})"
    return because("false_warning_rate_normal", what, least=least, most=most)
