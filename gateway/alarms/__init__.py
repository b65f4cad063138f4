"""Alarm devices in: the embedded MQTT endpoint, external brokers, dialects, and supervision of silent buttons."""

from gateway.alarms.access import Verify
from gateway.alarms.endpoint import MqttEndpoint
from gateway.alarms.listener import AlarmListener
from gateway.alarms.messages import EndpointStatistics, Feedback, InboundMessage
from gateway.alarms.records import SessionStore
from gateway.alarms.session import BrokerState, MqttSession
from gateway.alarms.supervision import DeviceStatus, SupervisionTimer

__all__ = [
    "AlarmListener",
    "BrokerState",
    "DeviceStatus",
    "EndpointStatistics",
    "Feedback",
    "InboundMessage",
    "MqttEndpoint",
    "MqttSession",
    "SessionStore",
    "SupervisionTimer",
    "Verify",
]
