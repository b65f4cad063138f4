"""Shelly devices since the second generation (shelly-api-docs, "Gen2+", notifications): JSON-RPC over MQTT."""

from typing import Any

from gateway.alarms.dialects.reading import is_plausible, moment, neither, number, object_of, switch, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, PayloadError, Presence, Said
from gateway.settings import Meaning

_INPUTS = ("input:", "bthomedevice:", "button:")
_PUSHES = ("single_push", "double_push", "triple_push", "long_push", "on")
_HALVES = ("btn_down", "btn_up", "config_changed", "toggle", "long_double_push", "long_triple_push")
_MEANINGS: dict[str, Meaning] = dict.fromkeys(_PUSHES, "press")
_MEANINGS |= dict.fromkeys(_HALVES[:4], "ignore")
_MEANINGS |= dict.fromkeys(_HALVES[4:], "press")


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a topic below the device's prefix says: events, status of a component, presence.

    Raises:
        PayloadError: it is no notification, or the presence cannot be read.
    """
    if topic.endswith("/online"):
        online = switch(text_of(payload), "true", "false")
        if online is None:
            raise neither("true", "false")
        return (Presence(online=online),)
    if topic.endswith("/events/rpc"):
        return _notification(object_of(payload))
    base, _, component = topic.rpartition("/")
    if base.endswith("/status"):
        return _status({component: object_of(payload)})
    return ()


def _notification(body: dict[str, Any]) -> tuple[Said, ...]:
    params = body.get("params")
    if not isinstance(params, dict):
        raise PayloadError("is no object", where="params", code="payload_field")
    if body.get("method") == "NotifyEvent":
        events = params.get("events")
        if not isinstance(events, list):
            raise PayloadError("is no list", where="params.events", code="payload_field")
        return tuple(said for each in events if (said := _event(each)) is not None)
    if body.get("method") in ("NotifyStatus", "NotifyFullStatus"):
        return _status(params)
    return ()


def _event(event: object) -> Said | None:
    if not isinstance(event, dict):
        return None
    component, name = words(event.get("component")), words(event.get("event"))
    if not component or not name or not component.startswith(_INPUTS):
        return None
    at = moment(event.get("ts"))
    known = at if at is not None and is_plausible(at) else None
    identity = f"{component}@{known.isoformat()}" if known else None  # before its clock is set, times come again
    return Action(name=name, part=component, at=at, id=identity, certain=identity is not None)


def _status(components: dict[str, Any]) -> tuple[Said, ...]:
    said: list[Said] = []
    for name, status in components.items():
        if isinstance(status, dict):
            said += _component(name, status)
    return tuple(said)


def _component(name: str, status: dict[str, Any]) -> list[Said]:
    if name.startswith("input:") and isinstance(status.get("state"), bool):  # of type switch; of type button: null
        return [Condition(name="on", active=status["state"], part=words(name) or "")]
    if name.startswith("devicepower:"):
        battery = status.get("battery")
        percent = battery.get("percent") if isinstance(battery, dict) else None
        return [Health(battery=number(percent, 0, 100))]
    if name == "wifi":
        return [Health(rssi=number(status.get("rssi"), -200, 100))]
    if name == "sys":
        return [Health(uptime=number(status.get("uptime"), 0, 1e12), firmware=_firmware(status))]
    return []


def _firmware(status: dict[str, Any]) -> str | None:
    device = status.get("device")
    return words(device.get("fw_id")) if isinstance(device, dict) else None


def topics(address: str) -> tuple[str, ...]:
    """Notifications, status and presence; the address is the device's MQTT prefix."""
    return (f"{address}/events/rpc", f"{address}/status/+", f"{address}/online")


DIALECT = Dialect(name="shelly2", decode=decode, topics=topics, address="{device}", meanings=_MEANINGS)
