"""Which addresses a camera may have: the site's networks, and nothing that a name or a redirect may lead to (SSRF)."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 1918, and RFC 4193 for version 6: where cameras are unless the settings say otherwise.
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def _real_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f"{text} is no network; write it like 192.168.1.0/24, with zeros behind the prefix") from None


NetworkText = Annotated[str, AfterValidator(_real_network)]
"""A network in CIDR notation, such as ``192.168.1.0/24``."""


def address_of(text: str) -> Address | None:
    """The address that a text is, also in older spellings such as ``0x7f.1`` and as IPv4 in IPv6; None for a name."""
    bare = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        found: Address = ipaddress.ip_address(bare)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(bare))
        except (OSError, UnicodeError):
            return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def may_be_camera(text: str, networks: Sequence[str]) -> bool:
    """Whether an address, not a name, may be a camera's: it is in one of `networks`; none given: in a private one.

    Multicast and unspecified addresses never are; loopback and link-local ones only if a network names them.
    """
    address = address_of(text)
    if address is None or address.is_multicast or address.is_unspecified:
        return False
    return any(address in network for network in _parsed(networks or PRIVATE_NETWORKS))


def name_or_camera(host: str, networks: Sequence[str]) -> bool:
    """As `may_be_camera`; a name passes, because it is judged by the address that it leads to when it is used."""
    return address_of(host) is None or may_be_camera(host, networks)


def _parsed(networks: Iterable[str]) -> list[Network]:
    return [ipaddress.ip_network(each) for each in networks]
