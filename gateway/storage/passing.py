"""Which events a reader of the journal wants, asked of thousands at once."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from gateway.events import Event, Severity, UnknownEvent
from gateway.storage.values import EventFilter, Stored


@lru_cache(maxsize=64)
def passes(wanted: EventFilter) -> Callable[[Stored], bool]:
    """Whether an event passes a filter; readers far behind ask of thousands, so that each kind is judged once."""
    source = wanted.source
    if wanted == EventFilter(source=source):
        return lambda stored: stored.event.source == source
    kinds: dict[tuple[str, Severity], bool] = {}
    of_kind = replace(wanted, source=None, since=None, until=None)
    only_kind = wanted == of_kind

    def check(stored: Stored) -> bool:
        event = stored.event
        kind = (type_of(event), event.severity)
        if (good := kinds.get(kind)) is None:
            good = kinds[kind] = of_kind.matches(event, kind[0])
        return good and (only_kind or wanted.matches(event, kind[0]))

    return check


def type_of(event: Event) -> str:
    """The CloudEvents type of an event, also of one that this version does not know."""
    return event.type if isinstance(event, UnknownEvent) else event.TYPE
