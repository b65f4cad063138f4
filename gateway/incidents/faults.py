"""Why a command about an incident is refused."""

from datetime import datetime

from gateway.errors import PermanentError


class NotFoundError(PermanentError):
    """There is no such incident."""

    code = "no_such_incident"


class BadCommandError(PermanentError):
    """The command makes no sense for this incident."""


class ConflictError(PermanentError):
    """Somebody was first, or the incident is not in the expected state.

    Attributes:
        state: the state that it is in.
        owner: who has it; empty if nobody.
        since: when that was, if known.
    """

    def __init__(self, what: str, *, state: str, owner: str, since: datetime | None, code: str) -> None:
        self.state = state
        self.owner = owner
        self.since = since
        super().__init__(what, remedy="Look at it again before you act.", code=code)
