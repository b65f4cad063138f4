"""What every message is."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The root of all messages; `REQUEST` of the subclasses pairs a reply with its request."""

    FDS: ClassVar[int] = 0
