"""Prefixes that select event types: whether one selects anything, and which one was meant."""

from difflib import get_close_matches

from gateway.events.codec import event_types


def selects_events(prefix: str) -> bool:
    """Whether at least one known event type begins with `prefix`."""
    return any(kind.startswith(prefix) for kind in event_types())


def nearest_event_type(prefix: str) -> str:
    """The known type, or beginning of types, that is most like `prefix`; empty if none is."""
    return next(iter(get_close_matches(prefix, [*event_families(), *event_types()], n=1)), "")


def event_families() -> list[str]:
    """The beginnings that types share, such as ``campus.button.``."""
    return sorted({kind.rpartition(".")[0] + "." for kind in event_types()})
