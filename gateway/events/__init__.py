"""The domain's facts as small frozen values with CloudEvents attributes, and their JSON."""

from gateway.events.base import Event, Severity, UnknownEvent
from gateway.events.buttons import (
    BatteryLow,
    ButtonCleared,
    ButtonEvent,
    ButtonLost,
    ButtonPressed,
    ButtonRestored,
    ButtonTampered,
    ButtonTested,
    PressKind,
)
from gateway.events.cameras import (
    CameraEvent,
    CameraFault,
    CameraLost,
    CameraRestored,
    FaceMatched,
    FaceVerified,
)
from gateway.events.codec import as_cloudevent, decode, encode, event_types
from gateway.events.ids import derived_id, new_id
from gateway.events.incidents import (
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
)
from gateway.events.operations import (
    DestinationFailing,
    DestinationRecovered,
    EvidencePurged,
    GatewayFault,
    GatewayStarted,
    GatewayStopped,
    WatchListChanged,
)
from gateway.events.selection import event_families, nearest_event_type, selects_events
from gateway.events.sources import button_source, camera_source, gateway_source

__all__ = [
    "BatteryLow",
    "ButtonCleared",
    "ButtonEvent",
    "ButtonLost",
    "ButtonPressed",
    "ButtonRestored",
    "ButtonTampered",
    "ButtonTested",
    "CameraEvent",
    "CameraFault",
    "CameraLost",
    "CameraRestored",
    "DestinationFailing",
    "DestinationRecovered",
    "Event",
    "EvidencePurged",
    "FaceMatched",
    "FaceVerified",
    "GatewayFault",
    "GatewayStarted",
    "GatewayStopped",
    "IncidentAcknowledged",
    "IncidentDispatched",
    "IncidentEscalated",
    "IncidentEvent",
    "IncidentNoted",
    "IncidentOpened",
    "IncidentRaisedAgain",
    "IncidentResolved",
    "PressKind",
    "Severity",
    "UnknownEvent",
    "WatchListChanged",
    "as_cloudevent",
    "button_source",
    "camera_source",
    "decode",
    "derived_id",
    "encode",
    "event_families",
    "event_types",
    "gateway_source",
    "nearest_event_type",
    "new_id",
    "selects_events",
]
