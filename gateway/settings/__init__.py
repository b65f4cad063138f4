"""TOML in ``config/`` to frozen slices, one per room; pure: no network, no probing."""

from gateway.settings.alarm import (
    BrokerSettings,
    DestinationSettings,
    DeviceSettings,
    ForwardingSettings,
    IncidentSettings,
    MqttSettings,
)
from gateway.settings.base import EntrySlice, Slice
from gateway.settings.embedder import EmbedderAlignment, EmbedderInput, EmbedderSettings, embedder_file, load_embedder
from gateway.settings.load import load_settings, parse_settings
from gateway.settings.model import LOOPBACK, ApiSettings, GatewaySettings, Settings, StorageSettings
from gateway.settings.mqtt import AccessSettings, DeviceNetworkSettings, MqttTlsSettings, MqttUserSettings
from gateway.settings.vision import CameraSettings, EvidenceSettings, MatchingSettings, VisionSettings

__all__ = [
    "LOOPBACK",
    "AccessSettings",
    "ApiSettings",
    "BrokerSettings",
    "CameraSettings",
    "DestinationSettings",
    "DeviceNetworkSettings",
    "DeviceSettings",
    "EmbedderAlignment",
    "EmbedderInput",
    "EmbedderSettings",
    "EntrySlice",
    "EvidenceSettings",
    "ForwardingSettings",
    "GatewaySettings",
    "IncidentSettings",
    "MatchingSettings",
    "MqttSettings",
    "MqttTlsSettings",
    "MqttUserSettings",
    "Settings",
    "Slice",
    "StorageSettings",
    "VisionSettings",
    "embedder_file",
    "load_embedder",
    "load_settings",
    "parse_settings",
]
