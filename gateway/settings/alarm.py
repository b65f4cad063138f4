"""Settings of the alarm house: MQTT, destinations."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from gateway.settings.addresses import without_password, without_userinfo
from gateway.settings.base import EntrySlice, Host, Label, Name, Slice, Url
from gateway.settings.mqtt import AccessSettings, DeviceNetworkSettings, MqttTlsSettings, MqttUserSettings

BrokerUrl = Annotated[
    Url,
    Field(pattern=r"^mqtts?://[^\s]+$"),
    BeforeValidator(partial(without_password, remedy="use password_file")),
]
ReceiverUrl = Annotated[
    Url,
    Field(pattern=r"^https?://[^\s]+$"),
    BeforeValidator(partial(without_userinfo, remedy="sign with secret, or put a token into its query")),
]


class BrokerSettings(Slice):
    """An MQTT broker that the gateway joins as a client.

    Attributes:
        url: ``mqtt://[user@]host[:1883]`` or ``mqtts://[user@]host[:8883]``; no password in it.
        password_file: file that holds the password.
        client_id: of the persistent session; must be this gateway's alone. Empty: made from the site's name.
        ca_file: certificates that the broker's is checked with; the system's if absent.
        certificate_file, key_file: the gateway's own, for brokers that ask for one.
        share_group: gateways with the same one share the broker's presses (MQTT 5, ``$share``): each goes to one.
    """

    url: BrokerUrl
    password_file: Path | None = None
    client_id: str = ""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    share_group: Name | None = None
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = 15
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 100

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("give certificate_file and key_file, or neither")
        if self.share_group is not None and not self.client_id:
            raise ValueError("share_group needs client_id: each of the gateways has its own session")
        return self


class MqttSettings(Slice):
    """How alarm buttons reach the gateway.

    Attributes:
        mode: ``embedded``: the gateway is the MQTT endpoint itself; ``external``: it joins the broker at `url`.
        host, port: where the embedded endpoint listens without TLS, on a loopback address only; port 0 takes a free
            one.
        tls: its listener for devices on the network.
        allow_anonymous: whether a client on the loopback listener may come without user, and do everything.
        users, access: passwords, and what users may do; without `access` each has its own topics of the gateway's
            profile.
        url, password_file, ca_file, certificate_file, key_file: the broker, in external mode.
        brokers: further brokers, in either mode.
        max_packet_bytes: larger packets end their connection and are recorded.
        max_connections, max_connections_per_address: what all addresses and one of them may hold open.
        networks: of devices, with limits of their own.
        connect_timeout_seconds: within it a new connection must have sent its CONNECT, and any packet must be whole.
        max_keepalive_seconds: a client of MQTT 5 that asks for more, or for none, is told this one.
        max_inflight: messages of a client that are being stored, and messages to it without acknowledgement.
        max_sessions: kept for clients that are away; the oldest go.
        duplicate_window_seconds: presses without id and counter within it are one press.
    """

    mode: Literal["embedded", "external"] = "embedded"
    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 1883
    tls: MqttTlsSettings | None = None
    allow_anonymous: bool = True
    users: tuple[MqttUserSettings, ...] = ()
    access: tuple[AccessSettings, ...] = ()
    url: BrokerUrl | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    brokers: tuple[BrokerSettings, ...] = ()
    max_packet_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    max_connections: Annotated[int, Field(ge=1)] = 4096
    max_connections_per_address: Annotated[int, Field(ge=1)] = 1024
    networks: tuple[DeviceNetworkSettings, ...] = ()
    connect_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    max_keepalive_seconds: Annotated[int, Field(ge=5, le=65535)] = 3600
    max_inflight: Annotated[int, Field(ge=1, le=65535)] = 64
    max_sessions: Annotated[int, Field(ge=1, le=65535)] = 4096
    duplicate_window_seconds: Annotated[float, Field(ge=0, le=3600)] = 2.0

    @model_validator(mode="after")
    def _external_has_url(self) -> Self:
        if self.mode == "external" and self.url is None:
            raise ValueError('mode "external" needs url, such as "mqtts://broker.school.example:8883"')
        return self


class DestinationSettings(EntrySlice):
    """A receiver of events: the security office, the police platform.

    Attributes:
        name: what people call it.
        url: ``https://host/path``; no user or password in it. A token belongs into its query, which is sealed at rest
            and shown to administrators only.
        secret, secret_file: the Standard Webhooks signing secret (``whsec_…``), one of the two.
        events: prefixes of event types that it gets; all if empty.
        minimum_severity: less severe events are not sent.
        audience: what belongs to a drill (演练) never goes to the ``police``.
        minimum_level: escalations below it are not sent; with ``events = ["campus.incident.escalated"]`` it is a
            call-out.
    """

    name: Label = ""
    kind: Literal["webhook"] = "webhook"
    url: ReceiverUrl
    secret: SecretStr | None = None
    secret_file: Path | None = None
    events: Annotated[tuple[str, ...], Field(max_length=256)] = ()
    minimum_severity: Literal["critical", "high", "medium", "low", "info"] = "info"
    audience: Literal["office", "police"] = "office"
    minimum_level: Annotated[int, Field(ge=0, le=10)] = 0
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("give secret or secret_file, not both")
        return self


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
