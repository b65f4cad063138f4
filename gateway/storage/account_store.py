"""Accounts, sign-ins, tokens, one-time links and failed tries; no secret is kept, only hashes."""

import sqlite3
from datetime import datetime, timedelta

from gateway.errors import PermanentError
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements
from gateway.storage.values import ApiToken, Failures, Session, User

_SQL = load_statements("accounts")
_FAILURES_KEPT = timedelta(days=1)


class AccountStore:
    """Who may use the gateway."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def users(self) -> list[User]:
        """All accounts by name."""
        return [_user(row) for row in await self._state.read(lambda c: c.execute(_SQL["users"]).fetchall())]

    async def user(self, name: str) -> User | None:
        """The account of that name."""
        row = await self._state.read(lambda c: c.execute(_SQL["user"], (name,)).fetchone())
        return _user(row) if row else None

    async def add_user(self, user: User) -> None:
        """Add an account.

        Raises:
            PermanentError: the name is taken.
        """

        def work(connection: sqlite3.Connection) -> None:
            try:
                row = (user.name, user.role, user.password, user.disabled, text_of(user.created))
                connection.execute(_SQL["add_user"], row)
            except sqlite3.IntegrityError:
                remedy = "Choose another name, or change that account."
                raise PermanentError(
                    "this name is taken", where=f"user {user.name}", remedy=remedy, code="name_taken"
                ) from None

        await self._state.write(work)

    async def change_user(
        self, name: str, *, role: str | None = None, password: str | None = None, disabled: bool | None = None
    ) -> None:
        """Change an account; a new password or a disabling ends its sign-ins.

        Raises:
            PermanentError: there is no such account, or nobody would be left who may change anything.
        """

        def work(connection: sqlite3.Connection) -> None:
            ends = disabled or role not in (None, "admin")
            if ends and connection.execute(_SQL["administrators"]).fetchall() == [(name,)]:
                remedy = "Make another one first: campus-gateway user add NAME --role admin."
                what = "this is the last administrator"
                raise PermanentError(what, where=f"user {name}", remedy=remedy, code="last_administrator")
            if connection.execute(_SQL["change_user"], (role, password, disabled, name)).rowcount == 0:
                raise PermanentError("there is no such account", where=f"user {name}", code="no_such_account")
            if password is not None or disabled:
                connection.execute(_SQL["end_sessions"], (name,))

        await self._state.write(work)

    async def open_session(self, session: Session) -> None:
        """Keep a sign-in."""
        row = (session.key, session.user, text_of(session.created), text_of(session.seen), text_of(session.ends))
        await self._state.write(lambda c: c.execute(_SQL["open_session"], row))

    async def session(self, key: str) -> tuple[Session, User] | None:
        """A sign-in with its account, ended or not; the caller checks the times."""
        row = await self._state.read(lambda c: c.execute(_SQL["session"], (key,)).fetchone())
        if row is None:
            return None
        user, created, seen, ends, *account = row
        found = Session(key=key, user=user, created=moment_of(created), seen=moment_of(seen), ends=moment_of(ends))
        return found, _user((user, *account))

    async def sessions_of(self, user: str) -> list[Session]:
        """The sign-ins of an account."""
        rows = await self._state.read(lambda c: c.execute(_SQL["sessions_of"], (user,)).fetchall())
        return [
            Session(key=key, user=user, created=moment_of(created), seen=moment_of(seen), ends=moment_of(ends))
            for key, created, seen, ends in rows
        ]

    async def touch_session(self, key: str, seen: datetime) -> None:
        """The sign-in was used."""
        await self._state.write(lambda c: c.execute(_SQL["touch_session"], (text_of(seen), key)))

    async def end_session(self, key: str) -> None:
        """End a sign-in; one that is not there is no error."""
        await self._state.write(lambda c: c.execute(_SQL["end_session"], (key,)))

    async def end_sessions(self, user: str) -> None:
        """End all sign-ins of an account."""
        await self._state.write(lambda c: c.execute(_SQL["end_sessions"], (user,)))

    async def sweep(self, now: datetime) -> None:
        """Forget sign-ins and links that ended, and failed tries of more than a day ago."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["sweep_sessions"], (text_of(now),))
            connection.execute(_SQL["sweep_one_time"], (text_of(now),))
            connection.execute(_SQL["sweep_failures"], (text_of(now - _FAILURES_KEPT),))

        await self._state.write(work)

    async def add_token(self, token: ApiToken) -> None:
        """Keep a token of a program."""
        ends = text_of(token.ends) if token.ends else None
        row = (token.id, token.key, token.name, token.role, text_of(token.created), ends)
        await self._state.write(lambda c: c.execute(_SQL["add_token"], row))

    async def tokens(self) -> list[ApiToken]:
        """All tokens, revoked ones too, oldest first."""
        return [_token(row) for row in await self._state.read(lambda c: c.execute(_SQL["tokens"]).fetchall())]

    async def token(self, key: str) -> ApiToken | None:
        """The token whose secret has that hash."""
        row = await self._state.read(lambda c: c.execute(_SQL["token"], (key,)).fetchone())
        return _token(row) if row else None

    async def touch_token(self, identity: str, used: datetime) -> None:
        """The token was used."""
        await self._state.write(lambda c: c.execute(_SQL["touch_token"], (text_of(used), identity)))

    async def revoke_token(self, identity: str) -> None:
        """End a token.

        Raises:
            PermanentError: there is no such token.
        """

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(_SQL["revoke_token"], (identity,)).rowcount == 0:
                raise PermanentError("there is no such token", where=f"token {identity}", code="no_such_token")

        await self._state.write(work)

    async def forget_token(self, identity: str) -> None:
        """End a token and leave no row of it; for one that lived as long as a command."""
        await self._state.write(lambda c: c.execute(_SQL["forget_token"], (identity,)))

    async def add_one_time(self, key: str, purpose: str, user: str, ends: datetime) -> None:
        """Keep a one-time link by the hash of its token; `purpose` is setup or signin."""
        row = (key, purpose, user, text_of(ends))
        await self._state.write(lambda c: c.execute(_SQL["add_one_time"], row))

    async def has_one_time(self, key: str, purpose: str, now: datetime) -> bool:
        """Whether a link can still be used; this uses nothing up."""
        row = (key, purpose, text_of(now))
        return await self._state.read(lambda c: c.execute(_SQL["one_time"], row).fetchone()) is not None

    async def use_one_time(self, key: str, purpose: str, now: datetime) -> str | None:
        """Use a link up: its user (empty for a set-up), or None if there is no such link any more."""

        def work(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(_SQL["one_time"], (key, purpose, text_of(now))).fetchone()
            if row is None:
                return None
            connection.execute(_SQL["use_one_time"], (key,))
            return str(row[0])

        return await self._state.write(work)

    async def failures(self, account: str, network: str) -> Failures | None:
        """Failed tries of an account from a network since the last success."""
        row = await self._state.read(lambda c: c.execute(_SQL["failures"], (account, network)).fetchone())
        return Failures(count=row[0], last=moment_of(row[1])) if row else None

    async def note_failure(self, account: str, network: str, at: datetime) -> None:
        """One more failed try."""
        await self._state.write(lambda c: c.execute(_SQL["note_failure"], (account, network, text_of(at))))

    async def clear_failures(self, account: str, network: str) -> None:
        """The account signed in from there."""
        await self._state.write(lambda c: c.execute(_SQL["clear_failures"], (account, network)))


def _user(row: tuple[str, str, str, int, str]) -> User:
    name, role, password, disabled, created = row
    return User(name=name, role=role, password=password, disabled=bool(disabled), created=moment_of(created))


def _token(row: tuple[str, str, str, str, str, str | None, str | None, int]) -> ApiToken:
    identity, key, name, role, created, ends, used, revoked = row
    return ApiToken(
        id=identity,
        key=key,
        name=name,
        role=role,
        created=moment_of(created),
        ends=moment_of(ends) if ends else None,
        used=moment_of(used) if used else None,
        revoked=bool(revoked),
    )
