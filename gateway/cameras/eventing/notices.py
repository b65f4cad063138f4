"""Reads notification messages (ONVIF Core §9.4, WS-BaseNotification 1.3 §3.2) as cameras really send them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.eventing.topics import plain_topic
from gateway.cameras.soap import descendants, local_name, outermost, text_of

INITIALIZED = "Initialized"
_TRUE = frozenset({"true", "1", "on", "active", "yes"})
_FALSE = frozenset({"false", "0", "off", "inactive", "no"})
_STATES = ("logicalstate", "state", "ismotion", "istamper", "isalarm", "active", "failed", "motion", "tamper", "value")
_SOURCES = ("inputtoken", "relaytoken", "token", "source", "videosourceconfigurationtoken", "videosource")
_FIRST_YEAR = 1970
_MOST_MESSAGES = 1000
_MOST_ITEMS = 64
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    Attributes:
        topic: plain, as `plain_topic` makes it.
        source, data: all SimpleItems, by name as the camera writes it.
        initial: it tells how things are, not that something changed.
        said_at: by the camera's clock, aware; None if it is no time.
    """

    topic: str
    source: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    initial: bool = False
    said_at: datetime | None = None

    @property
    def active(self) -> bool | None:
        """Whether it is so; None if no item says that."""
        by_name = {name.rpartition(":")[2].lower(): value.strip().lower() for name, value in self.data.items()}
        named = [by_name[name] for name in _STATES if name in by_name]
        for value in (*named, *by_name.values()):
            if value in _TRUE or value in _FALSE:
                return value in _TRUE
        return None

    @property
    def token(self) -> str:
        """Which input, relay or picture it is about; empty if the camera does not say."""
        by_name = {name.rpartition(":")[2].lower(): value.strip() for name, value in self.source.items()}
        named = [by_name[name] for name in _SOURCES if name in by_name]
        return next(iter((*named, *by_name.values())), "")

    def happened(self, offset: timedelta, now: datetime) -> datetime:
        """When, by our clock: the camera's time less its offset, never later than `now`, which stands for no time."""
        try:
            return now if self.said_at is None else min(self.said_at - offset, now)
        except OverflowError:
            return now


def read_notices(envelope: Element) -> tuple[Notice, ...]:
    """The messages of a reply or a notification in order, at most a thousand; one within another is none."""
    return tuple(_notice(each) for each in islice(outermost(envelope, "NotificationMessage"), _MOST_MESSAGES))


def _notice(message: Element) -> Notice:
    # The outer Message is WS-BaseNotification's, the inner one ONVIF's; some cameras send the inner one alone.
    inner = next(iter(reversed(descendants(message, "Message"))), message)
    return Notice(
        topic=plain_topic(text_of(message, "Topic"))[:_LONGEST],
        source=_items(inner, "Source"),
        data=_items(inner, "Data"),
        initial=inner.get("PropertyOperation", "") == INITIALIZED,
        said_at=_time(inner.get("UtcTime", "")),
    )


def _items(message: Element, part: str) -> dict[str, str]:
    found = [item for each in message if local_name(each) == part for item in descendants(each, "SimpleItem")]
    return {item.get("Name", "")[:_LONGEST]: item.get("Value", "")[:_LONGEST] for item in found[:_MOST_ITEMS]}


def _time(text: str) -> datetime | None:
    try:
        said = datetime.fromisoformat(text.strip())
        aware = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if aware.year >= _FIRST_YEAR else None  # the year 1 is how Go and .NET write that there is no time
