"""The token of a command that asks the running gateway: known to the audit trail, short-lived, and gone behind it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from gateway.cli.interface import interface
from gateway.settings import Settings
from gateway.storage import AccountDesk, ApiToken, open_accounts


def settings_in(folder: Path) -> Settings:
    return Settings.model_validate({"gateway": {"site": "east"}, "storage": {"directory": str(folder)}})


def with_desk(settings: Settings) -> tuple[list[ApiToken], list[tuple[str, str, str]]]:
    """All tokens, and the audit trail."""

    async def work() -> tuple[list[ApiToken], list[tuple[str, str, str]]]:
        desk: AccountDesk = await open_accounts(settings.storage)
        found = await desk.accounts.tokens(), await desk.audit.entries()
        await desk.close()
        return found[0], [(each.actor, each.action, each.detail) for each in found[1]]

    return asyncio.run(work())


def test_a_token_lives_as_long_as_its_command_and_is_on_record(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "state")
    with_desk(settings)
    with interface(settings) as client:
        (token,) = with_desk(settings)[0]
        assert client.headers["Authorization"].startswith(f"Bearer gw_{token.id}_")
    tokens, audit = with_desk(settings)
    assert tokens == []
    assert audit == [("command line", "added token", "for one command")]
    assert token.ends is not None
    assert token.ends - token.created <= timedelta(minutes=10)


def test_what_a_killed_command_left_is_removed_by_the_next(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "state")
    with_desk(settings)
    killed = interface(settings)
    killed.__enter__()  # and never left
    with interface(settings):
        assert len(with_desk(settings)[0]) == 2, "one that may still be at work stays"
    with patch("gateway.cli.interface.datetime") as clock:
        clock.now.return_value = datetime.now(UTC) + timedelta(minutes=11)
        with interface(settings):
            assert len(with_desk(settings)[0]) == 1
    assert with_desk(settings)[0] == []
