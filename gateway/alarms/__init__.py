"""Alarm devices in: the embedded MQTT endpoint, external brokers, dialects, alarm panels, and their supervision."""

from gateway.alarms.access import Verify
from gateway.alarms.device_status import BatterySample, DeviceMemory, DeviceStatus
from gateway.alarms.dialects import DIALECTS, dialects_with
from gateway.alarms.dialects.said import Dialect, PayloadError
from gateway.alarms.endpoint import MqttEndpoint
from gateway.alarms.exposure import check_exposure
from gateway.alarms.listener import AlarmListener
from gateway.alarms.messages import Contact, EndpointStatistics, Feedback, InboundMessage
from gateway.alarms.outputs import output_command
from gateway.alarms.records import SessionStore
from gateway.alarms.session import BrokerState, MqttSession
from gateway.alarms.sia import SiaReceiver, SiaStatistics, account_key
from gateway.alarms.supervision import SupervisionTimer
from gateway.alarms.tls import server_context
from gateway.alarms.trials import Trials

__all__ = [
    "DIALECTS",
    "AlarmListener",
    "BatterySample",
    "BrokerState",
    "Contact",
    "DeviceMemory",
    "DeviceStatus",
    "Dialect",
    "EndpointStatistics",
    "Feedback",
    "InboundMessage",
    "MqttEndpoint",
    "MqttSession",
    "PayloadError",
    "SessionStore",
    "SiaReceiver",
    "SiaStatistics",
    "SupervisionTimer",
    "Trials",
    "Verify",
    "account_key",
    "check_exposure",
    "dialects_with",
    "output_command",
    "server_context",
]
