"""What no section can see alone: ids used twice, links into nothing, two listeners on one port."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.settings.devices import BUILT_IN_DIALECTS
from gateway.settings.model import Settings

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared only
_MODES = (None, "embedded", "external")
Contradiction = tuple[str, str, str]


def contradictions(settings: Settings, tree: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Key, what is wrong and the remedy of each.

    Args:
        settings: what stands of a configuration.
        tree: the whole of it as it was read: an entry with a fault is there, too.
    """
    yield from _repeated_ids(tree)
    yield from _dangling_links(settings, tree)
    yield from _unknown_dialects(settings, tree)
    yield from _one_port(settings, tree)


def _ids(tree: Mapping[str, Any], kind: str) -> list[str]:
    entries = tree.get(kind)
    tables = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, list | tuple) else []
    return [name for each in tables if isinstance(name := each.get("id"), str)]


def _repeated_ids(tree: Mapping[str, Any]) -> Iterator[Contradiction]:
    for kind in ("dialects", "devices", "cameras", "destinations", "outputs", "procedures"):
        counts = Counter(_ids(tree, kind))
        for repeated in sorted(each for each, count in counts.items() if count > 1):
            yield f"{kind}.{repeated}.id", "the id is used more than once", "Give each an id of its own."


def _dangling_links(settings: Settings, tree: Mapping[str, Any]) -> Iterator[Contradiction]:
    known = sorted(set(_ids(tree, "cameras")))
    for device in settings.devices:
        for key, camera in device.links():
            if camera not in known:
                remedy = f"Known here: {', '.join(known)}." if known else "Add the camera, or remove the link."
                yield f"devices.{device.id}.{key}", f"there is no camera {camera!r} in this file", remedy


def _unknown_dialects(settings: Settings, tree: Mapping[str, Any]) -> Iterator[Contradiction]:
    known = (*BUILT_IN_DIALECTS, *dict.fromkeys(_ids(tree, "dialects")))
    for device in settings.devices:
        where = f"devices.{device.id}.dialect"
        if device.dialect not in known:
            yield where, f"there is no dialect {device.dialect!r}", f"Known here: {', '.join(known)}."
        if device.dialect == "sia" and "sia" not in tree:
            yield where, "there is no section [sia] to receive it", "Add [sia] with the panel's account."


def _one_port(settings: Settings, tree: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Two listeners on one port, the later one named; UDP is a matter of its own, but panels use both."""
    taken: list[tuple[str, str, int]] = []
    for where, host, port in _listeners(settings):
        if not _is_as_written(where, host, port, tree):
            continue
        for other, its_host, its_port in taken:
            meet = host == its_host or not _EVERY_ADDRESS.isdisjoint({host, its_host})
            if port == its_port != 0 and meet:
                yield where, f"{other} is {port}, too", "Choose another port for one of them."
        taken.append((where, host, port))


def _listeners(settings: Settings) -> Iterator[tuple[str, str, int]]:
    mqtt, api, sia = settings.mqtt, settings.api, settings.sia
    if mqtt.mode == "embedded":
        yield "mqtt.port", mqtt.host, mqtt.port
        if mqtt.tls is not None:
            yield "mqtt.tls.port", mqtt.tls.host, mqtt.tls.port
    yield "api.port", api.host, api.port
    if sia is not None:
        yield "sia.port", sia.host, sia.port


def _is_as_written(where: str, host: str, port: int, tree: Mapping[str, Any]) -> bool:
    """Whether a listener is what was written, and no default in place of what is wrong."""
    section: Any = tree
    for key in where.split(".")[:-1]:
        section = section.get(key, {}) if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping):
        return False
    return section.get("host", host) == host and section.get("port", port) == port and section.get("mode") in _MODES
