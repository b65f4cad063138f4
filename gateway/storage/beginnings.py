"""Where the journal began anew, because a damaged file was put aside: kept in the audit trail, under its chain."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import counted
from gateway.storage.chain import GENESIS
from gateway.storage.state import moment_of
from gateway.storage.statements import load_statements

ACTION = "began the journal anew"
_SQL = load_statements("outbox")
_AUDIT = load_statements("audit")
_NUMBERS = ("first", "last", "position")
Gap = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the start did once it had put a damaged file aside.

    Attributes:
        file: the name of what was put aside, where it is now.
        at: when.
        first: the first event that was taken over or left; 0 if none was.
        last: the last one; 0 if none was.
        before: the hash of the event before the first.
        position: where new events begin.
        lost: by destination, how many events that it had not got are gone.
    """

    file: str
    at: datetime
    first: int
    last: int
    before: bytes
    position: int
    lost: tuple[tuple[str, int], ...] = ()

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """First and last position of what is not there."""
        return ((1, self.first - 1), (self.last + 1, self.position - 1)) if self.first else ((1, self.position - 1),)

    @property
    def told(self) -> str:
        """What was taken over, and what each destination has not got."""
        taken = (
            f" Taken over: {counted(self.last - self.first + 1, 'event')}, up to position {self.last}."
            if self.first
            else ""
        )
        least, remedy = "" if self.first else "At least ", "presses may be among them: tell it by other means"
        lost = ((counted(count, "event"), name) for name, count in self.lost)
        return taken + "".join(f" {least}{count} had not reached {name}; {remedy}." for count, name in lost)

    @property
    def figures(self) -> dict[str, str | int]:
        """What the text of `told` names, without what it does not say."""
        taken = {"taken": self.last - self.first + 1, "up_to": self.last} if self.first else {}
        return taken | ({"unsent": ", ".join(f"{name}: {count}" for name, count in self.lost)} if self.lost else {})


def row_of(beginning: Beginning) -> str:
    """The detail of an entry of the audit trail."""
    values = {name: getattr(beginning, name) for name in _NUMBERS}
    return json.dumps(values | {"before": beginning.before.hex(), "lost": dict(beginning.lost)}, ensure_ascii=False)


def beginnings(connection: sqlite3.Connection) -> list[Beginning]:
    """All that the audit trail knows, oldest first; an entry that was tampered with is left to `verify`."""
    rows = connection.execute(_AUDIT["of_action"], (ACTION,))
    return [found for at, file, detail in rows if (found := _beginning(at, file, detail)) is not None]


def _beginning(at: str, file: str, detail: str) -> Beginning | None:
    try:
        found = json.loads(detail)
        first, last, position = (int(found[name]) for name in _NUMBERS)
        lost = tuple((str(name), int(count)) for name, count in found["lost"].items())
        return Beginning(file, moment_of(at), first, last, bytes.fromhex(found["before"]), position, lost)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def starts_of(found: Iterable[Beginning]) -> dict[int, bytes | None]:
    """Positions that may follow upon a gap, for `first_broken_event`; with the hash before where that event is gone."""
    starts: dict[int, bytes | None] = {}
    for each in found:
        starts.setdefault(each.position, None if each.first else GENESIS)
        if each.first > 1:
            starts[each.first] = each.before
    return starts


def unsettled(connection: sqlite3.Connection, gone: Iterable[Gap], never: Iterable[Gap]) -> tuple[tuple[str, int], ...]:
    """By destination, how many events in `gone` but not in `never` it had not settled; without those that lack none."""
    never, counts = list(never), dict[str, int]()
    for first, last in _without(gone, never):
        for name, low in connection.execute(_SQL["places"]).fetchall():
            begin = max(first, low + 1)
            settled = connection.execute(_SQL["settled_within"], (name, begin, last)).fetchone()[0]
            counts[name] = counts.get(name, 0) + max(0, last - begin + 1) - settled
    return tuple((name, count) for name, count in sorted(counts.items()) if count > 0)


def _without(gaps: Iterable[Gap], others: list[Gap]) -> Iterator[Gap]:
    for first, last in gaps:
        begin = first
        for low, high in sorted(others):
            if begin < low <= last:
                yield begin, low - 1
            begin = max(begin, high + 1) if low <= last else begin
        if begin <= last:
            yield begin, last
