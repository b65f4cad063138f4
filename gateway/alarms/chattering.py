"""Conditions of a device that come and go too often (ISA-18.2 chattering): one fault, and one word when it is quiet.

A press is no condition of a device: nothing here knows of one.
"""

from gateway.alarms.flapping import Flapping
from gateway.events import Cause, Event, because

CHATTERING = "device_chattering"
TAMPER, BATTERY = "tamper", "battery"
_OF_BEFORE = "of before"
_MOST = 32


class Chatter:
    """What one device tells of itself too often: three times in a minute, or five times in ten."""

    def __init__(self) -> None:
        self._known: dict[str, Flapping] = {}
        self._hushed: dict[str, Event] = {}
        self.count = 0

    @property
    def active(self) -> bool:
        """Whether anything of the device chatters."""
        return any(each.active for each in self._known.values())

    @property
    def calm_at(self) -> float:
        """When the next of it is quiet, if it stays so; infinite if nothing chatters."""
        return min((each.calm_at for each in self._known.values() if each.active), default=float("inf"))

    def hushes(self, what: str) -> bool:
        """Whether a condition chatters now."""
        return what in self._known and self._known[what].active

    def came(self, what: str, event: Event, now: float) -> bool:
        """A condition came at `now` (monotonic seconds); True if it chatters, so that its event is not told now."""
        if what not in self._known and len(self._known) >= _MOST:  # a device makes up troubles
            return False
        known = self._known.setdefault(what, Flapping())
        known.went(now)
        if known.active:
            self.count += 1
            self._hushed[what] = event
        return known.active

    def resume(self, now: float, standing: Event | None = None) -> None:
        """Something of the device chattered when the process ended; it has to be quiet from `now` on.

        What it was is not known any more: what comes now is told, until it chatters anew.

        Args:
            now: monotonic seconds.
            standing: its tampering, which may be among what was not told.
        """
        self._known.setdefault(_OF_BEFORE, Flapping()).resume(now)
        if standing is not None:
            self._known.setdefault(TAMPER, Flapping()).resume(now)
            self._hushed[TAMPER] = standing

    def calmed(self, now: float) -> list[tuple[str, Event | None]]:
        """What did not come for five minutes at `now`, with the last event that was kept; it is for `end` once told."""
        return [
            (what, self._hushed.get(what)) for what, each in self._known.items() if each.active and now >= each.calm_at
        ]

    def end(self, what: str) -> None:
        """It is quiet again."""
        self._known[what].end()
        self._hushed.pop(what, None)

    def began(self, what: str) -> Cause:
        """Why it is a fault."""
        if what == TAMPER:
            words = "its tamper contact opens and closes again and again: is the cover loose?"
            return because("device_chattering", words, reason="chattering_tamper")
        if what == BATTERY:
            return because(
                "device_chattering", "its battery is low and well by turns: change it", reason="chattering_battery"
            )
        return because(
            "device_chattering", f"{what} comes and goes again and again", reason="chattering_trouble", trouble=what
        )

    def ended(self) -> Cause:
        """That it is over, and how many events were not told; counts anew."""
        count, self.count = self.count, 0
        words = f"quiet for five minutes; {count} more were not told"
        return because("device_chattering", words, reason="chattering_over", count=count)
