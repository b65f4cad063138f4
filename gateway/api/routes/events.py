"""The journal as a list and as a live stream; who did what."""

import json
import re
from collections import Counter
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from gateway.api.auth import Auditor, Caller, Parts, still_allowed
from gateway.api.hub import EventStream
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.events import Severity
from gateway.incidents import is_discreet
from gateway.storage import EventFilter, Stored

router = APIRouter()
_MOST = 1000
_LAST_POSITION = 2**63 - 1
_POSITION = re.compile("[0-9]{1,18}")
After = Annotated[int, Query(ge=0, le=_LAST_POSITION, description="position behind which to begin")]
Types = Annotated[
    list[str] | None,
    Query(alias="type", max_length=50, description="whole types, or prefixes that end with a dot"),
]
Severities = Annotated[list[Severity] | None, Query(alias="severity", max_length=10)]


def _filter(
    types: Types = None,
    severities: Severities = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> EventFilter | None:
    if not (types or severities or source or since or until):
        return None
    for moment in (since, until):
        if moment is not None and moment.tzinfo is None:
            remedy = "Write it after RFC 3339, with Z or an offset."
            raise Problem(422, "a time without zone", code="time_without_zone", remedy=remedy)
    return EventFilter(
        types=tuple(types or ()), severities=tuple(severities or ()), source=source, since=since, until=until
    )


Wanted = Annotated[EventFilter | None, Depends(_filter)]


@router.get("/events")
async def events(
    caller: Caller,
    parts: Parts,
    wanted: Wanted,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    last: Annotated[int | None, Query(ge=1, le=_MOST, description="the newest so many instead")] = None,
) -> dict[str, Any]:
    """Events behind a position, oldest first; `next` is where to go on.

    A browser that is no post marked discreet-safe is not told of silent and duress presses.
    """
    journal, discreet = parts.stores.journal, caller.sees_discreet
    if last is not None:
        position = journal.last_position  # before the look: what comes meanwhile is behind it
        found = await journal.tail(last, wanted)
        behind = max(position, found[-1].position) if found else position
        return {"items": [item_of(each) for each in _told(found, discreet=discreet)], "next": behind}
    while found := await journal.read(after, limit, wanted):
        after = found[-1].position
        if told := _told(found, discreet=discreet):
            return {"items": [item_of(each) for each in told], "next": after}
    return {"items": [], "next": after}


def _told(found: list[Stored], *, discreet: bool) -> list[Stored]:
    return [each for each in found if discreet or not is_discreet(each.event)]


def item_of(stored: Stored) -> dict[str, Any]:
    """An event with its position."""
    return {"position": stored.position, "event": json.loads(stored.body)}


class Streams:
    """Counts open streams, in all and per session."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def begin(self, parts: ApiParts, key: str) -> None:
        """Count one more.

        Raises:
            Problem: 429, there are too many.
        """
        limits = parts.settings.api
        if self._open.total() >= limits.max_streams or self._open[key] >= limits.max_streams_per_session:
            remedy = "Close another console of this sign-in."
            raise Problem(429, "too many open streams", code="too_many_streams", remedy=remedy)
        self._open[key] += 1

    def end(self, key: str) -> None:
        """Count one less."""
        self._open[key] -= 1
        self._open += Counter()


@router.get("/events/stream", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(
    request: Request,
    caller: Caller,
    parts: Parts,
    wanted: Wanted,
    after: After = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Server-sent events from a position on: ``id`` position, ``event`` type, ``data`` the CloudEvent.

    Resumes from ``Last-Event-ID`` or ``after``. An ``event: heartbeat`` comes every 5 s in silence, and an
    ``event: unstored`` without id for a press that could not be stored yet. Silent and duress presses, and what
    follows from them, are withheld from browsers that are no post marked discreet-safe.
    """
    streams: Streams = request.app.state.streams
    begin = int(last_event_id) if last_event_id and _POSITION.fullmatch(last_event_id) else after
    streams.begin(parts, caller.key)
    return EventStream(
        parts.hub,
        after=min(begin, parts.stores.journal.last_position),
        wanted=wanted,
        discreet=caller.sees_discreet,
        still_allowed=lambda: still_allowed(parts, caller),
        ended=lambda: streams.end(caller.key),
    )


@router.get("/audit")
async def audit(
    _caller: Auditor, parts: Parts, after: After = 0, limit: Annotated[int, Query(ge=1, le=_MOST)] = 200
) -> dict[str, Any]:
    """Who did what, oldest first."""
    found = await parts.stores.audit.entries(after, limit)
    items = [
        {"number": e.number, "at": e.at, "actor": e.actor, "action": e.action, "subject": e.subject, "detail": e.detail}
        for e in found
    ]
    return {"items": items, "next": found[-1].number if found else after}
