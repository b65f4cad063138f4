"""Settings of the embedded MQTT endpoint: TLS, who may come in, and what each may do."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, StringConstraints, model_validator

from gateway.settings.base import Host, Slice

UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@-]{1,64}$")]
"""A user of the endpoint: it stands for %u in topics, so that it holds no ``/``, ``+`` and ``#``."""


class MqttTlsSettings(Slice):
    """The endpoint's TLS listener, beside the plain one on the loopback.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        certificate_file, key_file: of the server, PEM.
        client_ca_file: what clients' certificates are checked with; the common name (CN) of one is its user.
        require_certificate: whether a client without one is refused in the handshake; else it needs a password.
    """

    host: Host
    port: Annotated[int, Field(ge=0, le=65535)] = 8883
    certificate_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    require_certificate: bool = True


class MqttUserSettings(Slice):
    """A user with a password.

    Attributes:
        password_hash: argon2id in PHC form, as ``campus-gateway mqtt-password`` prints it.
    """

    name: UserName
    password_hash: Annotated[str, StringConstraints(pattern=r"^\$argon2id\$", max_length=512)]


class AccessSettings(Slice):
    """What users may do on the topics of a filter.

    Attributes:
        users: who; every user that said who it is, if absent.
        topic: a topic filter; ``%u`` stands for the user's name, ``%c`` for the client id.
        allow: publish, subscribe or both.
    """

    users: tuple[UserName, ...] = ()
    topic: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    allow: Literal["publish", "subscribe", "both"] = "both"

    @model_validator(mode="after")
    def _whole_levels(self) -> Self:
        levels = self.topic.split("/")
        for index, level in enumerate(levels):
            if ("#" in level and (level != "#" or index != len(levels) - 1)) or ("+" in level and level != "+"):
                raise ValueError("topic has a wildcard that is no level of its own, or a # that is not the last")
        return self


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError("no network; write one such as 10.1.0.0/16, with zeros behind its length") from None


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]


class DeviceNetworkSettings(Slice):
    """A network of devices with limits of its own.

    Attributes:
        network: such as ``10.1.0.0/16``; the first that holds an address counts.
        max_connections_per_address: what one address of it may hold open.
    """

    network: Network
    max_connections_per_address: Annotated[int, Field(ge=1)]
