"""Zigbee buttons behind Zigbee2MQTT (zigbee2mqtt.io, "MQTT topics and messages"): one JSON state for each device."""

import re
from typing import Any

from gateway.alarms.dialects.reading import json_of, moment, neither, number, object_of, switch, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, Presence, Said
from gateway.settings import Meaning

_NUMBERED = re.compile(r"(?:button_)?(\d{1,2})_(\w+)")
_HEALTH = frozenset({"tamper", "battery_low"})
_COMMANDS = ("/set", "/get")
_PUSHES = (
    "emergency", "panic", "sos", "press", "push", "single", "double", "triple", "quadruple", "many", "hold", "long",
    "long_press", "short_press", "on", "toggle", "single_click", "double_click", "alarm",
)  # fmt: skip
_ENDS = (
    "release",
    "hold_release",
    "long_release",
    "off",
    "disarm",
    "arm_day_zones",
    "arm_night_zones",
    "arm_all_zones",
)
_MEANINGS: dict[str, Meaning] = dict.fromkeys(_PUSHES, "press")
_MEANINGS |= dict.fromkeys(_ENDS, "ignore")
_MEANINGS |= {"tamper": "tamper", "exit_delay": "ignore"}


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a device's state, its availability or the bridge's state says; nothing for commands to a device.

    Raises:
        PayloadError: it is none of them.
    """
    if topic.endswith(_COMMANDS):
        return ()
    if topic.endswith("/bridge/state"):
        return (Presence(online=_availability(payload), bridge=True),)
    if topic.endswith("/availability"):
        return (Presence(online=_availability(payload)),)
    return _state(object_of(payload))


def _availability(payload: bytes) -> bool:
    """``online`` or, since Zigbee2MQTT 2, ``{"state": "online"}``."""
    text = text_of(payload)
    found = switch(text)
    if found is None and text.startswith("{"):
        value = json_of(payload)
        found = switch(value.get("state")) if isinstance(value, dict) else None
    if found is None:
        raise neither("online", "offline")
    return found


def _state(state: dict[str, Any]) -> tuple[Said, ...]:
    at = moment(state.get("last_seen"))
    said: list[Said] = []
    action = words(state.get("action"))
    if action:  # older versions publish an empty action behind each press
        numbered = _NUMBERED.fullmatch(action)
        part, name = (numbered[1], numbered[2]) if numbered else ("", action)
        said.append(Action(name=name, part=part, at=at))
    for name, value in state.items():
        if isinstance(value, bool) and name not in _HEALTH:
            said.append(Condition(name=words(name) or "", active=value, at=at))
    update = state.get("update")
    said.append(
        Health(
            battery=number(state.get("battery"), 0, 100),
            battery_low=_flag(state.get("battery_low")),
            tamper=_flag(state.get("tamper")),
            link_quality=number(state.get("linkquality"), 0, 255),
            firmware=_version(update),
        )
    )
    return tuple(said)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _version(update: object) -> str | None:
    installed = update.get("installed_version") if isinstance(update, dict) else None
    return str(installed)[:64] if isinstance(installed, int) and 0 <= installed < 1 << 53 else words(installed)


def topics(address: str) -> tuple[str, ...]:
    """A device's state and availability, and the bridge's state; the address is ``zigbee2mqtt/<friendly name>``."""
    base = address.split("/", 1)[0]
    return (address, f"{address}/availability", f"{base}/bridge/state")


DIALECT = Dialect(name="zigbee2mqtt", decode=decode, topics=topics, address="zigbee2mqtt/{device}", meanings=_MEANINGS)
