"""What all slices of the settings share: frozen, no unknown keys, names of sites and devices checked."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Slice(BaseModel):
    """One room's settings: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Site, device, camera and destination ids: 1-64 of A-Z a-z 0-9 _ -."""


class EntrySlice(Slice):
    """Settings of one of several: a device, a camera, a destination."""

    id: Name
