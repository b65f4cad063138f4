"""TOML in ``config/`` to frozen slices, one per room; pure: no network, no probing."""

from gateway.settings.addresses import public_part
from gateway.settings.alarm import (
    BrokerSettings,
    DestinationSettings,
    ForwardingSettings,
    MqttSettings,
)
from gateway.settings.base import NAME_PATTERN, EntrySlice, Name, Slice
from gateway.settings.devices import (
    BUILT_IN_DIALECTS,
    DeviceSettings,
    DialectSettings,
    Meaning,
    MessageSettings,
    SiaAccountSettings,
    SiaSettings,
)
from gateway.settings.embedder import EmbedderAlignment, EmbedderInput, EmbedderSettings, embedder_file, load_embedder
from gateway.settings.load import FILE_NAME, load_settings, parse_settings, survey_settings
from gateway.settings.model import LOOPBACK, ApiSettings, GatewaySettings, Settings, StorageSettings
from gateway.settings.mqtt import AccessSettings, DeviceNetworkSettings, MqttTlsSettings, MqttUserSettings
from gateway.settings.networks import PRIVATE_NETWORKS, address_of, may_be_camera, name_or_camera
from gateway.settings.response import IncidentSettings, InhibitionSettings, OutputSettings, ProcedureSettings
from gateway.settings.survey import Survey
from gateway.settings.vision import CameraSettings, EvidenceSettings, MatchingSettings, VisionSettings
from gateway.settings.words import entry_fault

__all__ = [
    "BUILT_IN_DIALECTS",
    "FILE_NAME",
    "LOOPBACK",
    "NAME_PATTERN",
    "PRIVATE_NETWORKS",
    "AccessSettings",
    "ApiSettings",
    "BrokerSettings",
    "CameraSettings",
    "DestinationSettings",
    "DeviceNetworkSettings",
    "DeviceSettings",
    "DialectSettings",
    "EmbedderAlignment",
    "EmbedderInput",
    "EmbedderSettings",
    "EntrySlice",
    "EvidenceSettings",
    "ForwardingSettings",
    "GatewaySettings",
    "IncidentSettings",
    "InhibitionSettings",
    "MatchingSettings",
    "Meaning",
    "MessageSettings",
    "MqttSettings",
    "MqttTlsSettings",
    "MqttUserSettings",
    "Name",
    "OutputSettings",
    "ProcedureSettings",
    "Settings",
    "SiaAccountSettings",
    "SiaSettings",
    "Slice",
    "StorageSettings",
    "Survey",
    "VisionSettings",
    "address_of",
    "embedder_file",
    "entry_fault",
    "load_embedder",
    "load_settings",
    "may_be_camera",
    "name_or_camera",
    "parse_settings",
    "public_part",
    "survey_settings",
]
