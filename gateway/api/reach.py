"""Which buttons would not reach the office now: one view over device, way, gateway and destinations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.alarms import BrokerState, DeviceStatus
from gateway.events import ButtonPressed
from gateway.forwarding import DestinationStatus
from gateway.settings import DestinationSettings, DeviceSettings

_TROUBLED = {"clock_wrong": "clock_wrong", "device_flapping": "flapping"}


@dataclass(frozen=True, slots=True)
class Ways:
    """What every press goes through.

    Attributes:
        accepting: whether presses are taken.
        stored: whether the journal works.
        embedded: whether the gateway is the MQTT endpoint itself.
        brokers: the external brokers.
        office: names of what stands between the journal and the office; empty if presses reach it.
    """

    accepting: bool
    stored: bool
    embedded: bool
    brokers: tuple[BrokerState, ...]
    office: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether a press of one device would reach the office now.

    Attributes:
        reasons: why not: lost, never_heard, flapping, broker_down, not_accepting, storage_failed, no_destination,
            destinations_failing.
        warnings: what may end it soon or is not proved: out_of_service, battery_low, tampered, clock_wrong, test_due,
            destinations_unproved, and the names of the device's own troubles.
    """

    device: str
    name: str
    place: str
    reaches: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def office_faults(
    destinations: Iterable[DestinationSettings], statuses: Iterable[DestinationStatus]
) -> tuple[str, ...]:
    """Why no press would be delivered: no destination asks for presses, or every one that does is failing."""
    wanting = [each.id for each in destinations if not each.events or ButtonPressed.TYPE.startswith(each.events)]
    if not wanting:
        return ("no_destination",)
    states = {each.destination: each.state for each in statuses}
    return ("destinations_failing",) if all(states.get(each) == "failing" for each in wanting) else ()


def reach_of(
    devices: Sequence[DeviceSettings],
    statuses: Mapping[str, DeviceStatus],
    ways: Ways,
    *,
    proved: bool,
    out_of_service: Collection[str] = (),
) -> list[Reach]:
    """Each device, those that would not reach the office first; `proved`: a destination has taken something already."""
    found = [_reach(each, statuses.get(each.id, DeviceStatus(device=each.id)), ways, proved) for each in devices]
    found = [
        replace(each, warnings=("out_of_service", *each.warnings)) if each.device in out_of_service else each
        for each in found
    ]
    return sorted(found, key=lambda each: (each.reaches, not each.warnings, each.device))


def _reach(device: DeviceSettings, status: DeviceStatus, ways: Ways, proved: bool) -> Reach:  # a state
    reasons = [*_own_reasons(status), *_way_reasons(device, status, ways), *ways.office]
    warnings = [name for name in ("battery_low", "tampered", "test_due") if getattr(status, name)]
    warnings += [_TROUBLED.get(each, each) for each in status.troubles if each != "device_flapping"]
    if not proved and not ways.office:
        warnings.append("destinations_unproved")
    return Reach(
        device=device.id,
        name=device.name,
        place=device.place,
        reaches=not reasons,
        reasons=tuple(reasons),
        warnings=tuple(warnings),
    )


def _own_reasons(status: DeviceStatus) -> list[str]:
    reasons = ["lost"] if status.lost else ["never_heard"] if status.last_seen is None else []
    return [*reasons, "flapping"] if status.flapping else reasons


def _way_reasons(device: DeviceSettings, status: DeviceStatus, ways: Ways) -> list[str]:
    reasons = [] if ways.accepting else ["not_accepting"]
    if not ways.stored:
        reasons.append("storage_failed")
    mine = [each for each in ways.brokers if each.address == status.via]
    down = [each for each in mine or ways.brokers if not each.connected]
    by_broker = bool(mine) or (not ways.embedded and device.account is None)
    if by_broker and down and len(down) == len(mine or ways.brokers):
        reasons.append("broker_down")
    return reasons
