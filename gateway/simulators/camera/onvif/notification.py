"""Writes notification messages (ONVIF Core §9.4, WS-BaseNotification 1.3 §3.2), with the mistakes of quirks."""

from datetime import datetime
from html import escape

from gateway.simulators.camera.onvif.happenings import Happening
from gateway.simulators.camera.quirks import Quirks

_DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_MAKERS_OWN = "tns1:Acme/SmartFilter/LensAge"


def message(happening: Happening, quirks: Quirks) -> str:
    """One NotificationMessage."""
    time = "0000-00-00T00:00:00Z" if "bad-event-time" in quirks else stamp(happening.at)
    source = "" if "no-source" in quirks else f"<tt:Source>{_item(*happening.source, quirks)}</tt:Source>"
    return (
        "<wsnt:NotificationMessage>"
        f'<wsnt:Topic Dialect="{_DIALECT}">{_topic(happening.topic, quirks)}</wsnt:Topic>'
        f'<wsnt:Message><tt:Message UtcTime="{time}" PropertyOperation="{happening.operation}">'
        f"{source}<tt:Data>{_data(happening, quirks)}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


def makers_own(now: datetime, quirks: Quirks) -> str:
    """A message of a topic that nobody knows."""
    return message(Happening(_MAKERS_OWN, ("Lens", "0"), "Days", None, now), quirks)


def stamp(at: datetime) -> str:
    """A time as xs:dateTime in UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _topic(topic: str, quirks: Quirks) -> str:
    topic = topic.replace("tns1:", "acme:") if "other-prefix" in quirks else topic
    return f"\n      {topic}//.\n    " if "padded-topics" in quirks else topic


def _data(happening: Happening, quirks: Quirks) -> str:
    name = happening.item
    if "other-names" in quirks:
        name = "State" if name == "LogicalState" else "Value"
    item = _item(name, _value(happening.active, quirks), quirks)
    if "more-items" in quirks:
        item = _item("Sensitivity", "50", quirks) + _item("acme:Rule", "r & 1", quirks) + item
    return item


def _value(active: bool | None, quirks: Quirks) -> str:
    if active is None:
        return "412"
    if "state-one" in quirks:
        return "1" if active else "0"
    if "state-active" in quirks:
        return "active" if active else "inactive"
    return "true" if active else "false"


def _item(name: str, value: str, quirks: Quirks) -> str:
    if "more-items" in quirks:
        return f'<tt:SimpleItem Value="{escape(value)}" Name="{escape(name)}"/>'
    return f'<tt:SimpleItem Name="{escape(name)}" Value="{escape(value)}"/>'
