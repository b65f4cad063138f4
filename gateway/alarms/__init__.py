"""Alarm devices in: the embedded MQTT endpoint, external brokers, dialects, and supervision of silent buttons."""

from gateway.alarms.endpoint import EndpointStatistics, MqttEndpoint
from gateway.alarms.exposure import check_exposure
from gateway.alarms.listener import AlarmListener
from gateway.alarms.messages import Feedback, InboundMessage
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
    "SupervisionTimer",
    "check_exposure",
]
