"""How sirens and lamps are told over MQTT, per maker: topic and payload; pure."""

import json
from collections.abc import Callable

from gateway.alarms.messages import Feedback
from gateway.settings import OutputSettings

_PULSE_OFFSET, _LONGEST_PULSE = 100, 64_900


def output_command(output: OutputSettings, site: str, *, on: bool) -> Feedback:
    """The message that switches an output of MQTT on for its time, or off."""
    topic, payload = _MAKERS[output.kind](output, site, on)
    return Feedback(topic=topic, payload=payload.encode())


def _campus(output: OutputSettings, site: str, on: bool) -> tuple[str, str]:  # one shape for all makers
    """The own profile: ``campus/<site>/output/<id>/set``."""
    body = {"on": on, "sound": on and output.sounds} | ({"seconds": output.seconds} if on else {})
    return f"campus/{site}/output/{output.id}/set", json.dumps(body)


def _shelly(output: OutputSettings, _site: str, on: bool) -> tuple[str, str]:  # as above
    """Gen2 and newer: JSON-RPC ``Switch.Set`` on ``<prefix>/rpc``; ``toggle_after`` ends it without us."""
    parameters = {"id": output.channel, "on": on} | ({"toggle_after": output.seconds} if on else {})
    body = {"id": 1, "src": "campus-gateway", "method": "Switch.Set", "params": parameters}
    return f"{output.topic}/rpc", json.dumps(body)


def _shelly_gen1(output: OutputSettings, _site: str, on: bool) -> tuple[str, str]:  # as above
    """Gen1: ``shellies/<id>/relay/<channel>/command``; the device's own auto-off ends it."""
    return f"{output.topic}/relay/{output.channel}/command", "on" if on else "off"


def _tasmota(output: OutputSettings, _site: str, on: bool) -> tuple[str, str]:  # as above
    """Tasmota's ``Backlog``: ``PulseTime`` (seconds + 100 from 12 s on) ends it without us, then ``Power``."""
    relay = output.channel + 1
    if not on:
        return f"cmnd/{output.topic}/Power{relay}", "OFF"
    pulse = min(round(output.seconds) + _PULSE_OFFSET, _LONGEST_PULSE)
    return f"cmnd/{output.topic}/Backlog", f"PulseTime{relay} {pulse}; Power{relay} ON"


def _zigbee2mqtt(output: OutputSettings, _site: str, on: bool) -> tuple[str, str]:  # as above
    """A warning device (Zigbee cluster 0x0502) behind Zigbee2MQTT: ``<base>/<name>/set``."""
    warning: dict[str, object] = {"mode": "stop", "strobe": False, "duration": 0}
    if on:
        mode = "emergency" if output.sounds else "stop"
        warning = {"mode": mode, "level": "very_high", "strobe": True, "duration": round(output.seconds)}
    return f"{output.topic}/set", json.dumps({"warning": warning})


_MAKERS: dict[str, Callable[[OutputSettings, str, bool], tuple[str, str]]] = {
    "campus": _campus,
    "shelly": _shelly,
    "shelly_gen1": _shelly_gen1,
    "tasmota": _tasmota,
    "zigbee2mqtt": _zigbee2mqtt,
}
