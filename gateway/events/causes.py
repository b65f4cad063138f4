"""What is wrong, in English words and by a name with figures, of which every language makes words of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import GatewayError

Figure = str | int | float


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a fault is told; made by `because` or `of_error`.

    Attributes:
        fault: the stable name of the fault, such as ``unknown_device``.
        words: what and where in English, redacted.
        reason: the stable name of what exactly is wrong; empty if a device said it in words of its own.
        figures: what the text of the reason names.
    """

    fault: str
    words: str
    reason: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """What a `GatewayFault` says of it."""
        return {
            "fault": self.fault,
            "detail": self.words,
            "reason": self.reason or None,
            "figures": dict(self.figures) or None,
        }

    def at(self, words: str = "", **figures: Figure) -> "Cause":
        """The same with more words behind it, and the figures that they name."""
        return Cause(self.fault, f"{self.words}{words}", self.reason, {**self.figures, **figures})


def because(fault: str, words: str, *, reason: str = "", **figures: Figure) -> Cause:
    """A cause that the gateway words; `reason` is left out where the fault has one only.

    A text of each reason and fault is in every catalogue of the console, by name; a test reads the calls.
    """
    return Cause(fault, words, reason or fault, figures)


def of_error(fault: str, error: GatewayError, **figures: Figure) -> Cause:
    """A cause that an error tells; its code is the reason."""
    where = {"where": error.where} if error.where else {}
    return Cause(fault, str(error), error.code, {**error.figures, **where, **figures})
