"""A row of the journal that cannot be read: every reader passes over it, its place in the order stays."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from gateway.errors import PermanentError
from gateway.events import Event, Severity, UnknownEvent, decode, encode
from gateway.storage.values import Stored

COLUMNS = ", ".join(
    ["position", *(f"CAST({name} AS BLOB)" for name in ("body", "id", "type", "source", "severity")), "time_us"]
)
Row = tuple[int, bytes | None, bytes | None, bytes | None, bytes | None, bytes | None, object]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHAT = "This entry of the journal is damaged and cannot be read."


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEvent(UnknownEvent):
    """What stands in the journal at the place of an event that is damaged on disk; it never leaves the gateway.

    Id, source, severity and time are those of the row's columns, as far as they can be read.

    Attributes:
        was: the type that the event had; empty if that cannot be read.
    """

    UNREADABLE: ClassVar[str] = "campus.gateway.unreadable"
    was: str


def stored_of(row: Row) -> Stored:
    """The event of a row of `COLUMNS`; an `UnreadableEvent` if it is none, or not the one that its columns name."""
    position, body, identity, kind, _source, severity, _time = row
    try:
        event = decode(body or b"")
    except (PermanentError, RecursionError):
        return _unreadable(row)
    said = (event.id, event.type if isinstance(event, UnknownEvent) else event.TYPE, event.severity.value)
    if said != (_text(identity), _text(kind), _text(severity)):
        return _unreadable(row)
    return Stored(position, event, body or b"")


def _unreadable(row: Row) -> Stored:
    position, _body, identity, kind, source, severity, time = row
    event: Event = UnreadableEvent(
        id=_text(identity) or f"unreadable-{position}",
        source=_text(source),
        subject="",
        time=_moment(time),
        severity=_severity(_text(severity)),
        type=UnreadableEvent.UNREADABLE,
        was=_text(kind),
        data=json.dumps({"position": position, "was": _text(kind), "detail": _WHAT}, ensure_ascii=False),
    )
    return Stored(position, event, encode(event))


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _severity(value: str) -> Severity:
    """What cannot be read may have been critical."""
    return Severity(value) if value in set(Severity) else Severity.CRITICAL


def _moment(time_us: object) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=time_us if isinstance(time_us, int) else 0)
    except OverflowError:
        return _EPOCH
