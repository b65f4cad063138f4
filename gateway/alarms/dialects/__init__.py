"""One pure decoder per maker: topic and payload to what the device said; none touches the network."""

from collections.abc import Mapping, Sequence

from gateway.alarms.dialects import campus, homie, onvif, shelly1, shelly2, sia, tasmota, zigbee2mqtt
from gateway.alarms.dialects.generic import dialect_of
from gateway.alarms.dialects.said import Dialect
from gateway.settings import DialectSettings

DIALECTS: Mapping[str, Dialect] = {
    each.name: each
    for each in (
        campus.DIALECT,
        zigbee2mqtt.DIALECT,
        shelly1.DIALECT,
        shelly2.DIALECT,
        tasmota.DIALECT,
        homie.HOMIE_4,
        homie.HOMIE_5,
        sia.DIALECT,
        onvif.DIALECT,
    )
}


def dialects_with(described: Sequence[DialectSettings]) -> Mapping[str, Dialect]:
    """The dialects of the gateway and those that an installer described, by name."""
    return {**DIALECTS, **{each.id: dialect_of(each) for each in described}}
