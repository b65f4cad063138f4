"""What arrives and is not right becomes a fault event: never a crash, never silence, never a storm."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.events import Event, GatewayFault, Severity, gateway_source, new_id

_QUIET_SECONDS = 10.0
_MOST_KINDS = 1000


@dataclass(slots=True)
class _Told:
    at: float
    held_back: int = 0


class FaultRecorder:
    """Reports faults; the same fault of the same place at most once in 10 s, with the count of those held back."""

    def __init__(self, site: str, report: Callable[[Event], Awaitable[object]], clock: Clock) -> None:
        self._source = gateway_source(site)
        self._report = report
        self._clock = clock
        self._told: dict[tuple[str, str], _Told] = {}

    async def record(
        self,
        fault: str,
        detail: str,
        *,
        topic: str = "",
        device: str = "",
        payload: bytes | None = None,
        severity: Severity = Severity.MEDIUM,
    ) -> None:
        """Report a fault unless the same one was reported a moment ago."""
        now = self._clock.monotonic()
        told = self._told.get((fault, topic))
        if told is not None and now - told.at < _QUIET_SECONDS:
            told.held_back += 1
            return
        more = f" ({told.held_back} more like it since)" if told is not None and told.held_back else ""
        if len(self._told) >= _MOST_KINDS:
            self._told.clear()
        self._told[fault, topic] = _Told(now)
        event = GatewayFault(
            id=new_id(),
            source=self._source,
            subject=device or "gateway",
            time=self._clock.now(),
            severity=severity,
            fault=fault,
            detail=detail + more,
            device=device,
            topic=topic[:256],
            payload_size=None if payload is None else len(payload),
            payload_sha256=None if payload is None else hashlib.sha256(payload).hexdigest(),
        )
        await self._report(event)
