"""What all slices of the settings share: frozen, no unknown keys, names of sites and devices checked."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Slice(BaseModel):
    """One room's settings: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True, allow_inf_nan=False
    )


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Site, device, camera and destination ids: 1-64 of A-Z a-z 0-9 _ -."""

Label = Annotated[str, StringConstraints(max_length=200)]
"""What people call a thing; it is in each of its events."""
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:%-]{1,253}$")]
"""A host name or address; one of other letters in its ASCII form (xn--…)."""


def _whole(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file" and (not parts.hostname or parts.port == 0):
        raise ValueError("the address names no host, or port 0")
    return url


Url = Annotated[str, AfterValidator(_whole)]
"""An address whose host and port can be told apart."""


class EntrySlice(Slice):
    """Settings of one of several: a device, a camera, a destination."""

    id: Name
