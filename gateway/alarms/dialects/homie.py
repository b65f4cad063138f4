"""Homie 4 and 5 (homieiot.github.io): each property has a topic of its own; the device's entry names the button's."""

from functools import partial

from gateway.alarms.dialects.reading import number, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, Presence, Said, Trouble
from gateway.settings import Meaning

_ONLINE = {"init": True, "ready": True, "alert": True, "disconnected": False, "lost": False}
_PUSHES = ("press", "pressed", "push", "pushed", "single", "double", "triple", "long", "long_press", "hold", "on",
           "emergency", "panic", "alarm", "sos")  # fmt: skip
_MEANINGS: dict[str, Meaning] = dict.fromkeys(_PUSHES, "press")
_MEANINGS |= {"silent": "silent", "duress": "duress", "test": "test", "tamper": "tamper", "clear": "clear"}
_MEANINGS |= {"release": "ignore", "released": "ignore", "idle": "ignore"}


def decode(topic: str, payload: bytes, *, levels: int) -> tuple[Said, ...]:
    """What a device's attribute or property says.

    Args:
        topic: below ``homie/<device>`` (version 4) or ``homie/5/<device>``.
        payload: its value as text.
        levels: of the topic, before the part that is the device's own.

    Raises:
        PayloadError: it is no text.
    """
    own = topic.split("/", levels)[levels:]
    if not own:
        return ()
    value = text_of(payload)
    if own[0].startswith("$"):
        return _attribute(own[0], value)
    if own[0].endswith(("/set", "/$target")) or "/$" in own[0]:
        return ()
    name = own[0].rpartition("/")[2]
    if name in ("battery", "battery-level"):
        return (Health(battery=number(value, 0, 100)),)
    if value in ("true", "false"):
        return (Condition(name="on", active=value == "true", part=words(own[0]) or ""),)
    return (Action(name=value, part=words(own[0]) or ""),) if value else ()


def _attribute(name: str, value: str) -> tuple[Said, ...]:
    if name == "$state":
        alert = Trouble(name="alert", active=value == "alert", detail="the device asks for somebody", reason="alert")
        online = _ONLINE.get(value)
        return () if online is None else (Presence(online=online), alert)
    if name.startswith("$alert/"):
        return (Trouble(name=words(name[1:]) or "", active=bool(value), detail=value),)
    if name == "$fw/version":
        return (Health(firmware=value[:64]),)
    if name == "$stats/battery":
        return (Health(battery=number(value, 0, 100)),)
    if name == "$stats/uptime":
        return (Health(uptime=number(value, 0, 1e12)),)
    return ()


def topics(address: str) -> tuple[str, ...]:
    """All attributes and properties; the address is the device's base topic."""
    return (f"{address}/#",)


HOMIE_4 = Dialect(
    name="homie4",
    decode=partial(decode, levels=2),
    topics=topics,
    address="homie/{device}",
    meanings=_MEANINGS,
)
HOMIE_5 = Dialect(
    name="homie5",
    decode=partial(decode, levels=3),
    topics=topics,
    address="homie/5/{device}",
    meanings=_MEANINGS,
)
