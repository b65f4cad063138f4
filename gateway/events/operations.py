"""What the gateway tells about itself, the watch-list and its destinations."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchListChanged(Event):
    """The watch-list has a new revision; neither name nor template is in the journal.

    Attributes:
        revision: the revision that the change made.
        change: added, updated, removed, expired, photo_added or photo_removed.
        person: id of the person.
        actor: the account that did it; empty if the gateway itself.
    """

    TYPE: ClassVar[str] = "campus.watchlist.changed"
    revision: int
    change: str
    person: str
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationFailing(Event):
    """A destination refuses or cannot be reached; `refused` names an event that went to the dead letters.

    `name` is what people call it.
    """

    TYPE: ClassVar[str] = "campus.destination.failing"
    destination: str
    reason: str
    refused: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRecovered(Event):
    """A failing destination takes events again; `waited` is the number of events that waited, `name` as above."""

    TYPE: ClassVar[str] = "campus.destination.recovered"
    destination: str
    waited: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStarted(Event):
    """The daemon accepts presses; `clean` is false if the last run ended without a stop."""

    TYPE: ClassVar[str] = "campus.gateway.started"
    version: str
    clean: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStopped(Event):
    """The daemon stops in order."""

    TYPE: ClassVar[str] = "campus.gateway.stopped"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFault(Event):
    """Something is wrong that somebody should see.

    Attributes:
        fault: a stable name, such as ``unknown_device``, ``bad_payload``, ``bad_field``, ``press_id_reused``,
            ``retained_press``, ``worker_crash_loop``.
        detail: what and where in English words, redacted.
        reason: a stable name of what exactly is wrong, if the words are the gateway's; see `Cause`.
        figures: what the text of that reason names, such as a position or a limit.
        device: the device or camera that it is about, if any.
        name, place: of that device, as people know it.
        topic: the MQTT topic, if any.
        payload_size: bytes of the payload that was refused, if any.
        payload_sha256: its hash; the payload itself is not kept.
        cleared: true if a fault that was told before is over.
    """

    TYPE: ClassVar[str] = "campus.gateway.fault"
    fault: str
    detail: str
    reason: str | None = None
    figures: dict[str, str | int | float] | None = None
    device: str = ""
    name: str = ""
    place: str = ""
    topic: str = ""
    payload_size: int | None = None
    payload_sha256: str | None = None
    cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePurged(Event):
    """Evidence was destroyed when its time had come, or on request; says which and why, keeps nothing of it."""

    TYPE: ClassVar[str] = "campus.evidence.purged"
    evidence: str
    match: str
    reason: str
