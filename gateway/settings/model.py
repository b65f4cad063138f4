"""The whole configuration: one slice per room."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.settings.alarm import (
    DestinationSettings,
    ForwardingSettings,
    MqttSettings,
)
from gateway.settings.base import Host, Name, Slice
from gateway.settings.devices import DeviceSettings, DialectSettings, SiaSettings
from gateway.settings.response import IncidentSettings, OutputSettings, ProcedureSettings
from gateway.settings.vision import CameraSettings, EvidenceSettings, MatchingSettings, VisionSettings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class GatewaySettings(Slice):
    """Who this gateway is."""

    site: Name


def _from_the_root(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{path} would depend on where a command is started: write it from the root on")
    return path


class StorageSettings(Slice):
    """Where state is kept.

    Attributes:
        directory: journal, stores, evidence, models, certificates; made if absent. Written from the root on: where the
            state and its key lie must not depend on where a command is started.
        key_file: the master key (32 bytes, base64) outside `directory`, mode 0400. Absent: the systemd credential
            ``campus-gateway-key``, or else ``<directory>.key`` beside the directory, made at first start.
        reserve_megabytes: ballast that is given up when the disk is full, so that presses are still stored.
        commit_window_milliseconds: how long the writer waits for company before it commits.
        models: folder of model files; default: ``models`` in `directory`.
    """

    directory: Annotated[Path, AfterValidator(_from_the_root)] = Path("/var/lib/campus-gateway")
    key_file: Path | None = None
    reserve_megabytes: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    commit_window_milliseconds: Annotated[float, Field(ge=0, le=100)] = 0.0
    models: Path | None = None

    @property
    def models_directory(self) -> Path:
        """Where model files and what is made of them are."""
        return self.models or self.directory / "models"


class ApiSettings(Slice):
    """The console and its interface.

    Attributes:
        tls: ``auto``: own site CA and leaf; ``off`` only on a loopback address.
        session_idle_minutes, session_hours: when a sign-in ends, idle and at the latest.
    """

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    tls: Literal["auto", "off"] = "auto"
    names: tuple[Host, ...] = ()
    session_idle_minutes: Annotated[float, Field(gt=0, le=525_600)] = 720.0
    session_hours: Annotated[float, Field(gt=0, le=8760)] = 24.0
    max_streams: Annotated[int, Field(ge=1)] = 200
    max_streams_per_session: Annotated[int, Field(ge=1)] = 4

    @model_validator(mode="after")
    def _plain_on_loopback_only(self) -> Self:
        if self.tls == "off" and self.host not in LOOPBACK:
            raise ValueError(f'tls "off" is refused on {self.host}: only a loopback address may go without')
        return self


class Settings(Slice):
    """Everything that ``gateway.toml`` may say."""

    gateway: GatewaySettings
    storage: StorageSettings = StorageSettings()
    mqtt: MqttSettings = MqttSettings()
    sia: SiaSettings | None = None
    api: ApiSettings = ApiSettings()
    incidents: IncidentSettings = IncidentSettings()
    forwarding: ForwardingSettings = ForwardingSettings()
    vision: VisionSettings = VisionSettings()
    matching: MatchingSettings = MatchingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    dialects: tuple[DialectSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()
    cameras: tuple[CameraSettings, ...] = ()
    destinations: tuple[DestinationSettings, ...] = ()
    outputs: tuple[OutputSettings, ...] = ()
    procedures: tuple[ProcedureSettings, ...] = ()
