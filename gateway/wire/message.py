"""What every message is."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The root of all messages.

    Attributes:
        FDS: how many file descriptors go with one. Where a request is answered, both bear the same `request` number.
    """

    FDS: ClassVar[int] = 0
