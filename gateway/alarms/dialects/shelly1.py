"""Shelly devices of the first generation (shelly-api-docs, "Gen1", MQTT): one topic for each figure."""

import re

from gateway.alarms.dialects.reading import count, neither, number, object_of, switch, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, PayloadError, Presence, Said
from gateway.settings import Meaning

_INPUT = re.compile(r".+/(input_event|input)/(\d{1,2})")
_MEANINGS: dict[str, Meaning] = dict.fromkeys(("S", "SS", "SSS", "SL", "LS", "L", "on"), "press")


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a topic below ``shellies/<device>`` says.

    Raises:
        PayloadError: a press, or the device's presence, cannot be read.
    """
    found = _INPUT.fullmatch(topic)
    if found:
        return _input(found[1], found[2], payload)
    if topic.endswith("/online"):
        online = switch(text_of(payload), "true", "false")
        if online is None:
            raise neither("true", "false")
        return (Presence(online=online),)
    if topic.endswith("/sensor/battery"):
        return (Health(battery=number(text_of(payload), 0, 100)),)
    if topic.endswith("/announce"):
        return (Health(firmware=words(object_of(payload).get("fw_ver"))),)
    return ()


def _input(kind: str, part: str, payload: bytes) -> tuple[Said, ...]:
    if kind == "input":
        active = switch(text_of(payload), "1", "0")
        return () if active is None else (Condition(name="on", active=active, part=part),)
    body = object_of(payload)
    name = words(body.get("event"))
    if name is None:
        raise PayloadError("is no text", where="event", code="payload_field")
    seq = count(body.get("event_cnt"))
    return (Action(name=name, part=part, seq=seq, certain=seq is not None),) if name else ()


def topics(address: str) -> tuple[str, ...]:
    """Events, state, battery, firmware and presence; the address is ``shellies/<device>``.

    `input` is left out: a push changes it as well as the event's counter, and would be told twice.
    """
    return tuple(f"{address}/{leaf}" for leaf in ("input_event/+", "online", "sensor/battery", "announce"))


DIALECT = Dialect(name="shelly1", decode=decode, topics=topics, address="shellies/{device}", meanings=_MEANINGS)
