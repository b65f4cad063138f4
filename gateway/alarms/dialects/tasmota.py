"""Tasmota (tasmota.github.io, "Buttons and Switches"): buttons with SetOption73, switches with SetOption114."""

import re
from typing import Any

from gateway.alarms.dialects.reading import neither, number, object_of, switch, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, PayloadError, Presence, Said
from gateway.settings import Meaning

_INPUT = re.compile(r"(?:Button|Switch)\d{1,2}", re.IGNORECASE)
_PUSHES = ("SINGLE", "DOUBLE", "TRIPLE", "QUAD", "PENTA", "HOLD", "TOGGLE", "ON")
_MEANINGS: dict[str, Meaning] = dict.fromkeys(_PUSHES, "press")
_MEANINGS |= {"CLEAR": "ignore", "OFF": "ignore", "INC_DEC": "ignore", "INV": "ignore", "POWER": "ignore"}
_LEAVES = ("RESULT", "SENSOR", "STATE", "LWT", "INFO1", "INFO2", "INFO3")


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a topic ``stat/<topic>/…`` or ``tele/<topic>/…`` says.

    Raises:
        PayloadError: a press or the presence cannot be read.
    """
    leaf = topic.rpartition("/")[2].upper()
    if leaf == "LWT":
        online = switch(text_of(payload))
        if online is None:
            raise neither("Online", "Offline")
        return (Presence(online=online),)
    if _INPUT.fullmatch(leaf):
        return tuple(_input(leaf, object_of(payload)))
    if leaf in _LEAVES:
        return _result(object_of(payload))
    return ()


def _result(body: dict[str, Any]) -> tuple[Said, ...]:
    said: list[Said] = []
    for name, value in body.items():
        if _INPUT.fullmatch(name):
            said += _input(name.capitalize(), value if isinstance(value, dict) else {"Action": value})
    said.append(_health(body))
    return tuple(said)


def _input(part: str, body: dict[str, Any]) -> list[Said]:
    """``{"Action": "SINGLE"}``; older versions write ``ACTION``, and a switch in ``SENSOR`` is its state alone."""
    name = words(body.get("Action", body.get("ACTION")))
    if name is None:
        raise PayloadError("has no Action", where=part, code="payload_no_action")
    part = part.capitalize()
    if part.startswith("Switch") and name.upper() in ("ON", "OFF"):
        return [Condition(name="ON", active=name.upper() == "ON", part=part)]
    return [Action(name=name.upper(), part=part)] if name else []


def _health(body: dict[str, Any]) -> Health:
    wifi = body.get("Wifi")
    first = body.get("Info1")
    version = first.get("Version") if isinstance(first, dict) else body.get("Version")
    return Health(
        battery=number(body.get("Battery"), 0, 100),
        rssi=number(wifi.get("Signal"), -200, 100) if isinstance(wifi, dict) else None,
        firmware=words(version),
        uptime=number(body.get("UptimeSec"), 0, 1e12),
    )


def topics(address: str) -> tuple[str, ...]:
    """Results and telemetry; the address is the device's topic, or a FullTopic with ``%prefix%`` in it."""
    pattern = address if "%prefix%" in address else f"%prefix%/{address}"
    return tuple(f"{pattern.replace('%prefix%', prefix)}/+" for prefix in ("stat", "tele"))


DIALECT = Dialect(name="tasmota", decode=decode, topics=topics, address="{device}", meanings=_MEANINGS)
