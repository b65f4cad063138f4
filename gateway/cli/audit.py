"""``audit verify`` and ``ca export``: proofs and certificates out of the state folder."""

from datetime import UTC, datetime

import typer

from gateway.api import ensure_tls
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import put, say
from gateway.storage import require_state, verify_chains

audit_app = typer.Typer(no_args_is_help=True, help="The record of who did what.")
ca_app = typer.Typer(no_args_is_help=True, help="The site's own certificate authority.")


@audit_app.command("verify")
def verify(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Check the hash chains of the journal and of the audit trail; names the first broken entry."""
    report = verify_chains(settings_of(config, set_).storage.directory)
    if report.broken_event is not None:
        say(f"The journal's chain breaks at position {report.broken_event}.")
    if report.broken_entry is not None:
        say(f"The audit trail's chain breaks at entry {report.broken_entry}.")
    if report.broken_event is not None or report.broken_entry is not None:
        raise typer.Exit(1)
    put(f"Both chains are whole; {report.last_position} events.")


@ca_app.command("export")
def export(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print the CA's certificate (PEM), to be installed on every guard's machine; its key stays here."""
    settings = settings_of(config, set_)
    names = [*settings.api.names, settings.api.host]
    directory, site = settings.storage.directory, settings.gateway.site
    require_state(directory, files=["state.db"])
    files = ensure_tls(directory, site=site, names=names, now=datetime.now(UTC))
    put(files.ca.read_text("ascii").rstrip("\n"))
