"""Addresses of cameras: the installer's, those that a camera tells about itself, and credentials in them."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from gateway.errors import PermanentError

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_LONGEST = 2048
_PORT = re.compile(r":(\d{1,5})$")
_REMEDY = "Write onvif://host, onvif://host:port or onvifs://host, for example onvif://192.168.1.64."
_DEFAULT_PORTS = {"onvif": 80, "onvifs": 443}


@dataclass(frozen=True, slots=True)
class OnvifAddress:
    """Where a camera's ONVIF services are, as the installer typed it; `secure`: over HTTPS."""

    host: str
    port: int = 80
    path: str = "/onvif/device_service"
    secure: bool = False

    @property
    def scheme(self) -> str:
        """Of its services."""
        return "https" if self.secure else "http"

    @property
    def device_service(self) -> str:
        """URL of the device service."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}{self.path}"

    def __str__(self) -> str:
        return f"onvif{'s' if self.secure else ''}://{_bracketed(self.host)}:{self.port}"


def parse_onvif_url(text: str) -> OnvifAddress:
    """Read ``onvif://host[:port][/path]``, or ``onvifs://`` for HTTPS.

    Raises:
        PermanentError: it is no such address, or credentials are in it.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0 or parts.query or parts.fragment:
        raise PermanentError("this is no address of an ONVIF camera", where=_place(text), remedy=_REMEDY)
    if parts.username is not None:
        remedy = "Give user name and password apart from the address."
        raise PermanentError("credentials do not belong in the address", where=str(OnvifAddress(host)), remedy=remedy)
    address = OnvifAddress(host, port or _DEFAULT_PORTS[parts.scheme], secure=parts.scheme == "onvifs")
    return address if parts.path in {"", "/"} else replace(address, path=parts.path)


def with_credentials(url: str, username: str, password: str) -> str:
    """`url` with percent-encoded credentials in place of those that it has; unchanged for an empty user name.

    The password ``p@ss:w/rd#1`` becomes ``p%40ss%3Aw%2Frd%231``. The result is a secret: keep it out of logs.
    """
    bare = without_credentials(url)
    if not username:
        return bare
    scheme, _, rest = bare.partition("://")
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"


def without_credentials(url: str) -> str:
    """`url` without user name and password."""
    match = _match(url)
    return f"{match['scheme']}://{match['authority'].rpartition('@')[2]}{match['rest']}"


def rehost(url: str, host: str, port: int | None = None) -> str:
    """`url` with `host`, and with `port` if one is given; path and query stay, credentials go.

    Survives what cameras send: a wrong, missing or private host, a port given twice.

    Raises:
        PermanentError: it is no URL.
    """
    match = _match(url)
    said = port_of(url) if port is None else port
    return f"{match['scheme']}://{_bracketed(host)}{'' if said is None else f':{said}'}{match['rest']}"


def port_of(url: str) -> int | None:
    """The port written in `url`, or None.

    Raises:
        PermanentError: it is no URL.
    """
    match = _PORT.search(_match(url)["authority"].rpartition("@")[2])
    return int(match[1]) if match else None


def _match(url: str) -> re.Match[str]:
    bare = url.strip()
    match = _URL.match(bare) if len(bare) <= _LONGEST else None
    if match is None:
        raise PermanentError("this is no URL", where=_place(bare), remedy="Write scheme://host:port/path.")
    return match


def _place(text: str) -> str:
    """An address for a message: not without end, and without what may be a password before a host without scheme."""
    if len(text) > _LONGEST:
        return f"an address of {len(text)} characters"
    return text if "://" in text else text.rpartition("@")[2]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
