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
from gateway.settings.load import FILE_NAME, load_settings, parse_settings
from gateway.settings.model import LOOPBACK, ApiSettings, GatewaySettings, Settings, StorageSettings
from gateway.settings.vision import CameraSettings, EvidenceSettings, MatchingSettings, VisionSettings

__all__ = [
    "FILE_NAME",
    "LOOPBACK",
    "ApiSettings",
    "BrokerSettings",
    "CameraSettings",
    "DestinationSettings",
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
    "Settings",
    "Slice",
    "StorageSettings",
    "VisionSettings",
    "embedder_file",
    "load_embedder",
    "load_settings",
    "parse_settings",
]
