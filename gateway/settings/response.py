"""Settings of the response to alarms: incidents, procedures, and outputs at the place."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gateway.settings.base import EntrySlice, Label, Name, Slice

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Ladder = tuple[Seconds, ...]
Topic = Annotated[str, StringConstraints(pattern=r"^[^+#\x00/][^+#\x00]{0,199}$")]


class InhibitionSettings(Slice):
    """A loss that explains others: while it lasts they are counted on its incident and open none of their own.

    Attributes:
        cause: id of the device or camera whose open incident explains them, such as the contact "site power lost".
        covers: ids of the devices and cameras behind it. Only their losses are inhibited, never a press.
    """

    cause: Name
    covers: Annotated[tuple[Name, ...], Field(min_length=1)]


class IncidentSettings(Slice):
    """When a warning becomes an incident, and when silence escalates it.

    Attributes:
        escalate_after_seconds: an unacknowledged emergency rises a level at each of these times.
        escalate_warnings_after_seconds: the same for everything that is no emergency.
        unattended_level: the level from which nobody counts as attending; an emergency rises to it at once when no
            post with sound is there to hear it. 0: never at once.
        acknowledgement_timeout_seconds: acknowledged, and nobody sent and nothing resolved for so long, an incident is
            raised again. 0: never.
        join_window_seconds: a further warning of the same person at the same camera joins the open incident within so
            long after the newest one, and join_cap_seconds after the first; a further press always joins.
        flood_incidents: more than so many new incidents within flood_window_seconds are a flood; then what is no
            emergency is grouped by place and kind, until fewer than flood_calm_incidents came within that time.
        longest_shelf_hours: how long a guard may put something aside; an emergency never.
        forced_resolve: the role that may end an incident while its source says that the condition goes on.
        inhibitions: which losses explain which others.
    """

    escalate_after_seconds: Ladder = (30.0, 60.0, 120.0)
    escalate_warnings_after_seconds: Ladder = (60.0, 180.0)
    unattended_level: Annotated[int, Field(ge=0, le=10)] = 2
    acknowledgement_timeout_seconds: Annotated[float, Field(ge=0, le=86_400)] = 180.0
    join_window_seconds: Annotated[float, Field(ge=0, le=31 * 86400)] = 120.0
    join_cap_seconds: Annotated[float, Field(ge=0, le=31 * 86400)] = 600.0
    flood_incidents: Annotated[int, Field(ge=2, le=1000)] = 10
    flood_window_seconds: Annotated[float, Field(ge=10, le=86_400)] = 600.0
    flood_calm_incidents: Annotated[int, Field(ge=1, le=1000)] = 5
    longest_shelf_hours: Annotated[float, Field(gt=0, le=8)] = 8.0
    forced_resolve: Literal["admin", "guard"] = "admin"
    inhibitions: tuple[InhibitionSettings, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("escalate_after_seconds", "escalate_warnings_after_seconds"):
            ladder = getattr(self, name)
            if list(ladder) != sorted(set(ladder)):
                raise ValueError(f"{name} must rise: each level comes later than the one before")
        if self.flood_calm_incidents > self.flood_incidents:
            raise ValueError("flood_calm_incidents is above flood_incidents: a flood would end at once")
        return self


class ProcedureSettings(EntrySlice):
    """What a guard does, step by step (预案).

    Attributes:
        kinds: event types, or prefixes that end with a dot, that it is for; all if empty.
        places: places, as devices and cameras name theirs; all if empty. The procedure that names the place wins.
        discreet: only for silent and duress presses (true), or only for others (false).
        steps: in the words of the site, in order.
    """

    title: Label
    kinds: tuple[Label, ...] = ()
    places: tuple[Label, ...] = ()
    discreet: bool | None = None
    steps: Annotated[tuple[Label, ...], Field(min_length=1, max_length=30)]


class OutputSettings(EntrySlice):
    """A siren or lamp that incidents drive, over MQTT or at a camera's relay; a silent or duress press never does.

    Attributes:
        kind: ``campus``: the own profile; ``shelly``: a relay of Gen2 and newer; ``shelly_gen1``; ``tasmota``: a relay;
            ``zigbee2mqtt``: a warning device; ``onvif``: a camera's relay output.
        topic: the device's prefix (``shellyplus1-a8032ab1``, ``tasmota_4F3A``, ``zigbee2mqtt/siren``); not for
            ``campus`` and ``onvif``.
        camera, relay: of kind ``onvif``: the camera's id and the relay's token, such as ``relay-1``.
        channel: of a relay with several, from 0.
        places, devices: only for incidents there; all if both are empty.
        minimum_severity: less severe incidents do not drive it.
        states: of an incident in which it is on.
        from_level: of escalation; 0 at once.
        seconds: it ends by itself after so long, also if the gateway is gone (``shelly_gen1``: set auto-off at the
            device); while it is wanted it is told again.
        drills: whether a drill drives it, too.
        sounds: it sounds (``zigbee2mqtt``); else it only flashes.
    """

    name: Label = ""
    kind: Literal["campus", "shelly", "shelly_gen1", "tasmota", "zigbee2mqtt", "onvif"] = "campus"
    topic: Topic | None = None
    camera: Name | None = None
    relay: Annotated[str, StringConstraints(max_length=64)] = ""
    channel: Annotated[int, Field(ge=0, le=31)] = 0
    places: tuple[Label, ...] = ()
    devices: tuple[Name, ...] = ()
    minimum_severity: Literal["critical", "high"] = "critical"
    states: Annotated[tuple[Literal["raised", "acknowledged", "dispatched"], ...], Field(min_length=1)] = ("raised",)
    from_level: Annotated[int, Field(ge=0, le=10)] = 0
    seconds: Annotated[float, Field(ge=12, le=1800)] = 180.0
    drills: bool = False
    sounds: bool = True

    @model_validator(mode="after")
    def _has_topic(self) -> Self:
        own = self.kind in ("campus", "onvif")
        if own == (self.topic is not None):
            needs = "has its own topic: leave topic out" if own else "needs topic"
            raise ValueError(f'kind "{self.kind}" {needs}')
        if (self.kind == "onvif") != (self.camera is not None and self.relay != ""):
            raise ValueError('camera and relay belong to kind "onvif", which needs both')
        return self
