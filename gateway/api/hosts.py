"""Names that the gateway answers to: a page of another site whose name points here gets nothing (DNS rebinding)."""

import ipaddress
import re
import socket
from collections.abc import Iterable, MutableMapping
from typing import Any

from gateway.api.problems import Problem

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?#\s]*)(?::[0-9]{0,5})?", re.ASCII)
_OWN = ("localhost",)


class HostNames:
    """Own names and literal addresses; an address cannot be rebound.

    Args:
        names: that were configured.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_plain(name) for name in (*names, *_OWN, socket.gethostname())}

    def problem_of(self, scope: MutableMapping[str, Any]) -> Problem | None:
        """What is wrong with a request's ``Host`` (RFC 9112, section 3.2; RFC 9110, section 15.5.20), if anything."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
            return Problem(400, "a request has one Host header", code="host_header", where="Host")
        if not hosts or self._is_own(hosts[0]):
            return None
        return Problem(
            421,
            "the gateway does not go by this name",
            code="unknown_host",
            where=f"Host {hosts[0][:100]}",
            remedy="Use its address, or add the name to names in [api] of gateway.toml.",
        )

    def _is_own(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1]
        return _is_address(name.strip("[]")) or _plain(name) in self._names


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
