"""``user`` and ``token``: accounts and tokens, while the gateway runs or stands."""

import re
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.local import with_accounts
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put, put_table, say
from gateway.errors import PermanentError
from gateway.settings import Settings
from gateway.storage import USER_NAME, AccountDesk, PasswordHasher, User, check_new_password, make_token

user_app = typer.Typer(no_args_is_help=True, help="Accounts.")
token_app = typer.Typer(no_args_is_help=True, help="API tokens of programs.")


class RoleName(StrEnum):
    """What an account or a token may do."""

    VIEWER = "viewer"
    GUARD = "guard"
    ADMIN = "admin"
    AUDITOR = "auditor"


def _check_name(name: str) -> None:
    """The rule that sign-in knows, too.

    Raises:
        PermanentError: nobody could sign in by that name.
    """
    if not re.fullmatch(USER_NAME, name):
        remedy = "Use 1 to 64 letters, digits and _ . @ -, without spaces: 王保安, li.wei."
        raise PermanentError("is no name of an account", where=f"user {name}", remedy=remedy)


def _new_password(name: str) -> str:
    """Asked twice at a terminal; else the first line of stdin, so that it is never in the process list."""
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    check_new_password(name, password)
    return password


async def _known(desk: AccountDesk, name: str) -> None:
    """Check that there is an account.

    Raises:
        PermanentError: there is none of that name.
    """
    if name not in {user.name for user in await desk.accounts.users()}:
        raise PermanentError("there is no such account", where=f"user {name}", remedy="See campus-gateway user list.")


async def _record(desk: AccountDesk, action: str, subject: str) -> None:
    await desk.audit.append(at=datetime.now(UTC), actor="command line", action=action, subject=subject)


@user_app.command("add", short_help="Make an account.")
def add_user(
    name: str,
    role: Annotated[RoleName, typer.Option("--role")] = RoleName.GUARD,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Make an account; the password is asked for, or read from stdin."""
    _check_name(name)
    settings, password = settings_of(config, set_), _new_password(name)

    async def work(desk: AccountDesk) -> None:
        hashed = await PasswordHasher().hash(password)
        user = User(name=name, role=role.value, password=hashed, created=datetime.now(UTC))
        await desk.accounts.add_user(user)
        await _record(desk, "added user", name)

    with_accounts(settings, work, makes_state=True)
    say(f"{name} is {role.value}.")


@user_app.command("list")
def list_users(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print all accounts."""

    async def work(desk: AccountDesk) -> list[User]:
        return await desk.accounts.users()

    users = with_accounts(settings_of(config, set_), work)
    rows = [{"name": u.name, "role": u.role, "disabled": u.disabled, "created": u.created} for u in users]
    put_table(rows, ["name", "role", "disabled", "created"], as_json=as_json)


@user_app.command("disable")
def disable_user(name: str, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Disable an account and end its sessions."""
    _set_disabled(settings_of(config, set_), name, disabled=True)


@user_app.command("enable", short_help="Let it sign in again.")
def enable_user(name: str, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Let a disabled account sign in again, with its password of before."""
    _set_disabled(settings_of(config, set_), name, disabled=False)


def _set_disabled(settings: Settings, name: str, *, disabled: bool) -> None:
    done = "disabled" if disabled else "enabled"

    async def work(desk: AccountDesk) -> None:
        await _known(desk, name)
        await desk.accounts.change_user(name, disabled=disabled)
        await _record(desk, f"{done} user", name)

    with_accounts(settings, work)
    say(f"{name} is {done}.")


@user_app.command("passwd", short_help="A new password.")
def change_password(name: str, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Give an account a new password and end its sessions."""
    settings = settings_of(config, set_)
    with_accounts(settings, lambda desk: _known(desk, name))
    password = _new_password(name)

    async def work(desk: AccountDesk) -> None:
        await desk.accounts.change_user(name, password=await PasswordHasher().hash(password))
        await _record(desk, "changed password", name)

    with_accounts(settings, work)
    say(f"{name} has a new password.")


@token_app.command("create", short_help="Make a token and print it once.")
def create_token(
    role: Annotated[RoleName, typer.Option("--role")],
    name: Annotated[str, typer.Option("--name")],
    days: Annotated[int | None, typer.Option("--days", min=1, help="ends after so many days")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Make a token and print it alone on stdout; it is shown once."""
    token, text = make_token(name, role.value, datetime.now(UTC), timedelta(days=days) if days else None)

    async def work(desk: AccountDesk) -> None:
        await desk.accounts.add_token(token)
        await _record(desk, "added token", token.id)

    with_accounts(settings_of(config, set_), work, makes_state=True)
    put(text)


@token_app.command("list")
def list_tokens(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print all tokens, without their secrets."""

    async def work(desk: AccountDesk) -> list[dict[str, object]]:
        found = await desk.accounts.tokens()
        columns = ("id", "name", "role", "created", "ends", "used", "revoked")
        return [{column: getattr(token, column) for column in columns} for token in found]

    rows = with_accounts(settings_of(config, set_), work)
    put_table(rows, ["id", "name", "role", "created", "ends", "used", "revoked"], as_json=as_json)


@token_app.command("revoke")
def revoke_token(identity: str, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """End a token."""

    async def work(desk: AccountDesk) -> None:
        if identity not in {token.id for token in await desk.accounts.tokens()}:
            raise PermanentError(
                "there is no such token", where=f"token {identity}", remedy="See campus-gateway token list."
            )
        await desk.accounts.revoke_token(identity)
        await _record(desk, "revoked token", identity)

    with_accounts(settings_of(config, set_), work)
    say(f"{identity} is revoked.")
