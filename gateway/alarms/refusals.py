"""Why a client of the endpoint was turned away, or a part of what it asked for."""

from collections.abc import Sequence

from gateway.alarms.reasons import Reason
from gateway.events import Cause, because

_LONGEST_TOPIC, _LONGEST_ID = 256, 64

CLASH = because("client_id_clash", "two devices use one client id and end each other")


def refused_client(client_id: str, reason: Reason) -> Cause:
    """It may not come in."""
    name = client_id[:_LONGEST_ID]
    return because("refused_client", f"client {name!r}: {reason.name}", name=name, why=reason.name)


def taken_id(client_id: str, what: str) -> Cause:
    """Its client id is another user's."""
    return because("refused_client", what, reason="client_id_taken", name=client_id[:_LONGEST_ID])


def refused_publish(topic: str, size: int) -> Cause:
    """It may not publish there."""
    what = f"{topic[:_LONGEST_TOPIC]!r} is not allowed: {size} bytes were refused"
    return because("refused_publish", what, topic=topic[:_LONGEST_TOPIC], size=size)


def refused_will(topic: str) -> Cause:
    """It may not leave a last will there."""
    topic = topic[:_LONGEST_TOPIC]
    return because("refused_publish", f"a last will on {topic!r} is not allowed", reason="refused_will", topic=topic)


def refused_filters(patterns: Sequence[str]) -> Cause:
    """It may not subscribe to them."""
    first, others = patterns[0][:_LONGEST_TOPIC], len(patterns) - 1
    more = f" and {others} more" if others else ""
    return because("refused_subscription", f"{first!r}{more}: not allowed", topic=first)


def too_many(limit: int) -> Cause:
    """There are more connections than may be."""
    return because("too_many_connections", f"more than {limit} connections", limit=limit)


def too_many_of_one_address(limit: int) -> Cause:
    """There are more of one address than may be."""
    what = f"more than {limit} connections of one address"
    return because("too_many_connections", what, reason="too_many_of_one_address", limit=limit)
