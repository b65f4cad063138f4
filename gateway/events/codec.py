"""Events to CloudEvents 1.0 JSON (structured mode) and back."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from gateway.errors import PermanentError
from gateway.events import buttons, cameras, incidents, operations, situations
from gateway.events.base import ATTRIBUTES, Event, Severity, UnknownEvent


def _subclasses(root: type[Event]) -> Iterator[type[Event]]:
    for child in root.__subclasses__():
        yield child
        yield from _subclasses(child)


@cache
def event_types() -> Mapping[str, type[Event]]:
    """Every event class by its CloudEvents type."""
    rooms = {module.__name__ for module in (buttons, cameras, incidents, operations, situations)}
    return {kind.TYPE: kind for kind in _subclasses(Event) if kind.__module__ in rooms and kind.TYPE}


@dataclass(frozen=True, slots=True)
class _Shape:
    adapter: TypeAdapter[Any]
    data_names: tuple[str, ...]
    data: Callable[[Event], tuple[Any, ...]]


def _shape_of(kind: type[Event]) -> _Shape:
    names = tuple(field.name for field in fields(kind) if field.name not in ATTRIBUTES)
    return _Shape(TypeAdapter(kind), names, _values(names))


def _values(names: tuple[str, ...]) -> Callable[[Event], tuple[Any, ...]]:
    """What an event has under names."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)


@cache
def _shapes() -> Mapping[str, _Shape]:
    return {name: _shape_of(kind) for name, kind in event_types().items()} | {"": _shape_of(UnknownEvent)}


def encode(event: Event) -> bytes:
    """The event as one CloudEvents 1.0 JSON object (JSON event format §3), UTF-8, without line breaks."""
    return to_json(as_cloudevent(event))


def as_cloudevent(event: Event) -> dict[str, Any]:
    """The event as the dictionary that `encode` writes."""
    cloud: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type if isinstance(event, UnknownEvent) else event.TYPE,
        "subject": event.subject,
        "time": _rfc3339(event.time),
        "severity": event.severity.value,
        "datacontenttype": "application/json",
    }
    if event.recorded is not None:
        cloud["recordedtime"] = _rfc3339(event.recorded)
    if event.drill:
        cloud["drill"] = True
    cloud["data"] = json.loads(event.data) if isinstance(event, UnknownEvent) else _data(event)
    return cloud


def _data(event: Event) -> dict[str, Any]:
    shape = _shapes()[event.TYPE]
    return {name: value for name, value in zip(shape.data_names, shape.data(event), strict=True) if value is not None}


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def decode(body: bytes | str) -> Event:
    """Read one CloudEvents JSON object.

    Raises:
        PermanentError: it is no CloudEvent, or its data do not fit its type.
    """
    try:
        cloud = json.loads(body)
        shape = _shapes().get(cloud["type"])
        attributes = {
            "id": cloud["id"],
            "source": cloud["source"],
            "subject": cloud.get("subject", ""),
            "time": cloud["time"],
            "severity": cloud.get("severity", Severity.INFO),
            "drill": cloud.get("drill", False),
            "recorded": cloud.get("recordedtime"),
        }
        if shape is None:
            data = {"type": cloud["type"], "data": json.dumps(cloud.get("data"), ensure_ascii=False)}
            shape = _shapes()[""]
        else:
            data = {name: value for name, value in cloud.get("data", {}).items() if name in shape.data_names}
        event: Event = shape.adapter.validate_python(attributes | data)
        return event
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise PermanentError(f"not an event of this gateway: {error}", remedy="Send CloudEvents 1.0 JSON.") from error
