"""What an administrator may name by API: the network's cameras, and nothing of this machine (SSRF)."""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from gateway.api.problems import Problem

_SECRETS = ("password", "secret")
_ADDRESS_KEYS = ("url", "sub_url")


def refuse_local_files(body: dict[str, Any]) -> None:
    """Refuse to read a file of this machine: a secret would be sent to whatever address stands beside it.

    And a pipe or a device in its place would be read on the loop, before every press, for ever.

    Raises:
        Problem: 422.
    """
    for key, value in body.items():
        if key.endswith("_file") and value is not None:
            name = key.removesuffix("_file")
            remedy = f"Send {name} itself; it is sealed at rest." if name in _SECRETS else "Name it there."
            what = "a file can be named in the configuration file only"
            raise Problem(422, what, code="only_in_file", where=key, remedy=remedy)


def refuse_local_address(body: dict[str, Any]) -> None:
    """Refuse recordings, and addresses of this machine in any spelling.

    Raises:
        Problem: 422.
    """
    for key in _ADDRESS_KEYS:
        url = body.get(key)
        if not isinstance(url, str):
            continue
        if url.lower().startswith("file:"):
            what = "a recording can be named in the configuration file only"
            raise Problem(422, what, code="only_in_file", where=key)
        if _is_of_this_machine(url):
            raise Problem(422, "an address of this machine is no camera", code="own_address", where=key)


def _is_of_this_machine(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # the settings say what is wrong with it
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified or address.is_link_local)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, also in the older spellings such as 0x7f.1; None if it is a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
