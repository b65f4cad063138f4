"""What the forwarder asks of a receiver's driver."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.storage import Stored


class Verdict(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's end.

    Attributes:
        reason: in words, free of secrets; empty if accepted.
        retry_after: seconds that the receiver asked to wait; None if it did not.
    """

    verdict: Verdict
    reason: str = ""
    retry_after: float | None = None


class Sink(Protocol):
    """A receiver of events."""

    async def deliver(self, stored: Stored) -> Outcome:
        """Try once; never raises for what the receiver or the network does."""

    async def close(self) -> None:
        """Let connections go."""
