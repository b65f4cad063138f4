"""What no section can see alone: ids used twice, links into nothing, two listeners on one port."""

from collections.abc import Iterator

from gateway.settings.devices import BUILT_IN_DIALECTS
from gateway.settings.model import Settings

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared only
Contradiction = tuple[str, str, str]


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Key, what is wrong and the remedy of each."""
    yield from _repeated_ids(settings)
    yield from _dangling_links(settings)
    yield from _unknown_dialects(settings)
    yield from _one_port(settings)


def _repeated_ids(settings: Settings) -> Iterator[Contradiction]:
    for kind in ("dialects", "devices", "cameras", "destinations", "outputs", "procedures"):
        ids = [entry.id for entry in getattr(settings, kind)]
        for repeated in sorted({each for each in ids if ids.count(each) > 1}):
            yield f"{kind}.{repeated}.id", "the id is used more than once", "Give each an id of its own."


def _dangling_links(settings: Settings) -> Iterator[Contradiction]:
    known = sorted(camera.id for camera in settings.cameras)
    for device in settings.devices:
        wired = (("camera", device.camera),) if device.camera is not None else ()
        for key, camera in (*wired, *(("linked_cameras", each) for each in device.linked_cameras)):
            if camera not in known:
                remedy = f"Known here: {', '.join(known)}." if known else "Add the camera, or remove the link."
                yield f"devices.{device.id}.{key}", f"there is no camera {camera!r} in this file", remedy


def _unknown_dialects(settings: Settings) -> Iterator[Contradiction]:
    known = (*BUILT_IN_DIALECTS, *(each.id for each in settings.dialects))
    for device in settings.devices:
        where = f"devices.{device.id}.dialect"
        if device.dialect not in known:
            yield where, f"there is no dialect {device.dialect!r}", f"Known here: {', '.join(known)}."
        if device.dialect == "sia" and settings.sia is None:
            yield where, "there is no section [sia] to receive it", "Add [sia] with the panel's account."


def _one_port(settings: Settings) -> Iterator[Contradiction]:
    mqtt, api = settings.mqtt, settings.api
    meet = mqtt.host == api.host or not _EVERY_ADDRESS.isdisjoint({mqtt.host, api.host})
    if mqtt.mode == "embedded" and mqtt.port == api.port != 0 and meet:
        yield "api.port", f"mqtt.port is {api.port}, too", "Choose another port for one of them."
