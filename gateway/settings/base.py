"""What all slices of the settings share: frozen, no unknown keys, names of sites and devices checked."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Slice(BaseModel):
    """One room's settings: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
HOST_PATTERN = r"^[A-Za-z0-9._:%-]{1,253}$"
_NUMERIC = re.compile(r"[0-9.]+|.*:.*")

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""Site, device, camera and destination ids: 1-64 of A-Z a-z 0-9 _ -."""

Label = Annotated[str, StringConstraints(max_length=200)]
"""What people call a thing; it is in each of its events."""


def _real_address(host: str) -> str:
    """What looks like an address must be one."""
    if _NUMERIC.fullmatch(host):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError(f"{host} is no address; give one such as 127.0.0.1, or a host name") from None
    return host


Host = Annotated[str, StringConstraints(pattern=HOST_PATTERN), AfterValidator(_real_address)]
"""A host name or address; one of other letters in its ASCII form (xn--…)."""


def _whole(url: str) -> str:
    try:
        parts = urlsplit(url)
        whole = parts.scheme == "file" or (parts.hostname and parts.port != 0)
    except ValueError:  # its words quote what stands where host and port are sought, which may be a password
        raise ValueError(
            "host and port (1 to 65535) cannot be read; a user and a password do not belong in it"
        ) from None
    if not whole:
        raise ValueError("the address names no host, or port 0")
    return url


Url = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_whole)]
"""An address whose host and port can be told apart."""


class EntrySlice(Slice):
    """Settings of one of several: a device, a camera, a destination."""

    id: Name
