"""Whether the master key is the one that a state was sealed with."""

import logging
import sqlite3

from gateway.errors import PermanentError, TransientError
from gateway.events import Cause, because
from gateway.sealing import SealError
from gateway.storage.state import State
from gateway.storage.statements import load_statements
from gateway.storage.vault import Vault

_ENTRIES = load_statements("entries")
_PEOPLE = load_statements("watchlist")
_KIND, _ID = "vault", "check"
_VALUE = {"sealed with": "the master key of this state"}
_log = logging.getLogger(__name__)


class WrongKeyError(PermanentError):
    """The master key is another one than that of the state; what is sealed stays closed, presses are taken."""

    def __init__(self, place: str, what: str = "is another key than the one that this state was sealed with") -> None:
        remedy = f"Put the key that belongs to this state to {place}, then restart the gateway."
        super().__init__(what, where=place, remedy=remedy)

    @property
    def cause(self) -> Cause:
        """What a fault says of it."""
        return because("wrong_master_key", str(self), place=self.where)


class UnusableKeyError(WrongKeyError):
    """There is no master key, or one that may not be used; presses are taken with what is sealed closed.

    Args:
        error: why it cannot be used.
    """

    def __init__(self, error: PermanentError) -> None:
        what = f"{error.what}: what is sealed cannot be opened. {error.remedy}"
        super().__init__(error.where, what.strip().rstrip("."))

    @property
    def cause(self) -> Cause:
        """What a fault says of it."""
        return because("master_key_unusable", str(self), place=self.where)


async def key_fits(state: State, vault: Vault) -> bool:
    """Try the key on a value that was sealed for it, or else on the watch-list, which may be older than the value."""
    return await state.read(lambda connection: fits(connection, vault))


async def seal_check(state: State, vault: Vault) -> None:
    """Keep a value sealed with a key that fits; on a full disk a later start does.

    Where it is kept already nothing is written: a guest that was stopped in its turn would keep this start waiting.
    """
    if await state.read(lambda connection: connection.execute(_ENTRIES["get"], (_KIND, _ID)).fetchone()) is not None:
        return
    sealed = vault.seal_secrets(_VALUE, _KIND, _ID)

    def work(connection: sqlite3.Connection) -> None:
        if connection.execute(_ENTRIES["get"], (_KIND, _ID)).fetchone() is None:
            connection.execute(_ENTRIES["put"], (_KIND, _ID, "{}", sealed))

    try:
        await state.write(work)
    except TransientError as error:
        _log.warning("no value is sealed to know the master key by: %s", error)


def fits(connection: sqlite3.Connection, vault: Vault) -> bool:
    """Whether the key opens what is sealed; of a state that holds nothing sealed every key does."""
    try:
        if row := connection.execute(_ENTRIES["get"], (_KIND, _ID)).fetchone():
            vault.open_secrets(row[2], _KIND, _ID)
        elif row := connection.execute(_PEOPLE["any_evidence_key"]).fetchone():
            vault.unwrap_evidence_key(row[1], row[0])
    except SealError:
        return False
    return True
