"""What arrives and is not right becomes a fault event: never a crash, never silence, never a storm."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.events import Cause, Event, GatewayFault, Severity, gateway_source, new_id

_WINDOW_SECONDS = 10.0
_MOST_IN_WINDOW = 20
_MOST_OF_A_KIND = 200
_MOST_PLACES = 1000


@dataclass(slots=True)
class _Told:
    since: float
    told: int = 0
    held_back: int = 0


class FaultRecorder:
    """Reports faults; in 10 s at most 20 of the same kind and place and 200 of a kind, then how many were held back."""

    def __init__(self, site: str, report: Callable[[Event], Awaitable[object]], clock: Clock) -> None:
        self._source = gateway_source(site)
        self._report = report
        self._clock = clock
        self._places: dict[tuple[str, str], _Told] = {}
        self._kinds: dict[tuple[str, str], _Told] = {}

    def _admit(self, fault: str, topic: str) -> int | None:
        """How many like it were held back before; None if this one is held back, too."""
        of_the_place = self._admit_one(self._places, (fault, topic[:256]), _MOST_IN_WINDOW)
        if of_the_place is None:
            return None
        of_the_kind = self._admit_one(self._kinds, (fault, ""), _MOST_OF_A_KIND)
        return None if of_the_kind is None else of_the_place or of_the_kind

    def _admit_one(self, known: dict[tuple[str, str], _Told], key: tuple[str, str], most: int) -> int | None:
        now = self._clock.monotonic()
        told = known.get(key)
        if told is not None and now - told.since < _WINDOW_SECONDS:
            if told.told >= most:
                told.held_back += 1
                return None
            told.told += 1
            return 0
        if len(known) >= _MOST_PLACES:
            known.clear()
        known[key] = _Told(now, 1)
        return told.held_back if told is not None else 0

    async def record(
        self,
        cause: Cause,
        *,
        topic: str = "",
        device: str = "",
        name: str = "",
        place: str = "",
        payload: bytes | None = None,
        severity: Severity = Severity.MEDIUM,
    ) -> None:
        """Report a fault unless too many of its kind were reported a moment ago."""
        more = self._admit(cause.fault, topic)
        if more is None:
            return
        if more:
            cause = cause.at(f" ({more} more like it before)", more=more)
        event = GatewayFault(
            id=new_id(),
            source=self._source,
            subject=device or "gateway",
            time=self._clock.now(),
            severity=severity,
            **cause.data,
            device=device,
            name=name,
            place=place,
            topic=topic[:256],
            payload_size=None if payload is None else len(payload),
            payload_sha256=None if payload is None else hashlib.sha256(payload).hexdigest(),
        )
        await self._report(event)
