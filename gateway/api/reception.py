"""What all connections of one server share: room, loop time, and who is known."""

from dataclasses import dataclass
from typing import Self

from gateway.api.budget import Budget, Loop, Share
from gateway.api.door import Door
from gateway.api.known import KnownCredentials

# Below the 1,024 files that a process may have open by default, for presses and stores need some, too.
_MOST_CONNECTIONS = 512
_CONNECTIONS_OF_ONE = 64
_STRANGER = Share(rate=0.10, burst_seconds=0.3)
_STRANGERS = Share(rate=0.20, burst_seconds=0.6)
_MEMBER = Share(rate=0.25, burst_seconds=1.0)
_MEMBERS = Share(rate=0.50, burst_seconds=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Where connections come in.

    Attributes:
        door: who holds a connection.
        strangers: loop time of callers that have not signed in, by address.
        members: loop time of callers that have, by session or token.
        known: good credentials.
        cookie: name of the session cookie.
    """

    door: Door
    strangers: Budget
    members: Budget
    known: KnownCredentials
    cookie: bytes

    @classmethod
    def open(cls, loop: Loop, known: KnownCredentials, cookie: str) -> Self:
        """Nobody is there yet, and everybody has its whole share."""
        return cls(
            door=Door(most=_MOST_CONNECTIONS, share=_CONNECTIONS_OF_ONE),
            strangers=Budget(loop, each=_STRANGER, together=_STRANGERS),
            members=Budget(loop, each=_MEMBER, together=_MEMBERS),
            known=known,
            cookie=cookie.encode(),
        )
