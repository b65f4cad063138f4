"""Settings of the alarm house: MQTT, alarm devices, incidents, destinations."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.settings.base import EntrySlice, Host, Label, Name, Slice, Url

RetryWaits = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
BrokerUrl = Annotated[Url, Field(pattern=r"^mqtts?://[^\s]+$")]


class BrokerSettings(Slice):
    """An MQTT broker that the gateway joins as a client.

    Attributes:
        url: ``mqtt://[user@]host[:1883]`` or ``mqtts://[user@]host[:8883]``; no password in it.
        password_file: file that holds the password.
        client_id: of the persistent session; must be this gateway's alone. Empty: made from the site's name.
        ca_file: certificates that the broker's is checked with; the system's if absent.
    """

    url: BrokerUrl
    password_file: Path | None = None
    client_id: str = ""
    ca_file: Path | None = None
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = 15
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 100


class MqttSettings(Slice):
    """How alarm buttons reach the gateway.

    Attributes:
        mode: ``embedded``: the gateway is the MQTT endpoint itself; ``external``: it joins the broker at `url`.
        host, port: where the embedded endpoint listens; port 0 takes a free one.
        url, password_file: the broker, in external mode.
        brokers: further brokers, in either mode.
        max_packet_bytes: larger packets end their connection and are recorded.
        max_connections, max_connections_per_address: what one and all addresses may hold open.
        connect_timeout_seconds: within it a new connection must send its CONNECT.
        duplicate_window_seconds: presses without id and counter within it are one press.
    """

    mode: Literal["embedded", "external"] = "embedded"
    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 1883
    url: BrokerUrl | None = None
    password_file: Path | None = None
    brokers: tuple[BrokerSettings, ...] = ()
    max_packet_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    max_connections: Annotated[int, Field(ge=1)] = 4096
    max_connections_per_address: Annotated[int, Field(ge=1)] = 1024
    connect_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    max_inflight: Annotated[int, Field(ge=1, le=65535)] = 64
    duplicate_window_seconds: Annotated[float, Field(ge=0, le=3600)] = 2.0

    @model_validator(mode="after")
    def _external_has_url(self) -> Self:
        if self.mode == "external" and self.url is None:
            raise ValueError('mode "external" needs url, such as "mqtts://broker.school.example:8883"')
        return self


class DeviceSettings(EntrySlice):
    """An alarm device (button).

    Attributes:
        dialect: what it speaks on MQTT; ``campus`` is the gateway's own profile.
        health_deadline_seconds: silent for longer, it counts as lost.
        linked_cameras: cameras whose picture belongs to its presses.
    """

    name: Label = ""
    place: Label = ""
    dialect: Literal["campus"] = "campus"
    health_deadline_seconds: Annotated[float, Field(ge=5, le=31 * 86400)] = 180.0
    battery_low_percent: Annotated[float, Field(ge=0, le=100)] = 20.0
    linked_cameras: tuple[Name, ...] = ()


class DestinationSettings(EntrySlice):
    """A receiver of events: the security office, the police platform.

    Attributes:
        secret, secret_file: the Standard Webhooks signing secret (``whsec_…``), one of the two.
        events: prefixes of event types that it gets; all if empty.
        minimum_severity: less severe events are not sent.
    """

    kind: Literal["webhook"] = "webhook"
    url: Annotated[Url, Field(pattern=r"^https?://[^\s]+$")]
    secret: SecretStr | None = None
    secret_file: Path | None = None
    events: tuple[str, ...] = ()
    minimum_severity: Literal["critical", "high", "medium", "low", "info"] = "info"
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("give secret or secret_file, not both")
        return self


class IncidentSettings(Slice):
    """When a warning becomes an incident, and when silence escalates it.

    Attributes:
        escalate_after_seconds: unacknowledged for these times an incident rises a level each.
        join_window_seconds: a further warning of the same person at the same camera within it joins the open
            incident; a further press of the same button always joins.
    """

    escalate_after_seconds: tuple[Annotated[float, Field(gt=0)], ...] = (30.0, 60.0, 120.0)
    join_window_seconds: Annotated[float, Field(ge=0, le=31 * 86400)] = 600.0


class ForwardingSettings(Slice):
    """How the gateway insists: waits between tries in seconds, the last one repeated."""

    retry_seconds: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (
        0.0,
        1.0,
        2.0,
        5.0,
        10.0,
        30.0,
        60.0,
    )
    failing_after_tries: Annotated[int, Field(ge=1)] = 3
