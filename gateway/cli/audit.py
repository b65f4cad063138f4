"""``audit verify`` and ``ca export``: proofs and certificates out of the state folder."""

from datetime import UTC, datetime

import typer

from gateway.api import ensure_tls
from gateway.cli.local import with_stores
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import put, say
from gateway.storage import Stores

audit_app = typer.Typer(no_args_is_help=True, help="The record of who did what.")
ca_app = typer.Typer(no_args_is_help=True, help="The site's own certificate authority.")


@audit_app.command("verify")
def verify(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Check the hash chains of the journal and of the audit trail; names the first broken entry."""

    async def work(stores: Stores) -> tuple[int | None, int | None, int]:
        return await stores.journal.verify(), await stores.audit.verify(), stores.journal.last_position

    event, entry, last = with_stores(settings_of(config, set_), work)
    if event is not None:
        say(f"The journal's chain breaks at position {event}.")
    if entry is not None:
        say(f"The audit trail's chain breaks at entry {entry}.")
    if event is not None or entry is not None:
        raise typer.Exit(1)
    put(f"Both chains are whole; {last} events.")


@ca_app.command("export")
def export(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print the CA's certificate (PEM), to be installed on every guard's machine; its key stays here."""
    settings = settings_of(config, set_)
    names = [*settings.api.names, settings.api.host]
    directory, site = settings.storage.directory, settings.gateway.site
    files = ensure_tls(directory, site=site, names=names, now=datetime.now(UTC))
    put(files.ca.read_text("ascii").rstrip("\n"))
