"""``audit verify`` and ``ca export``: proofs and certificates out of the state folder."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import typer

from gateway.api import ensure_tls
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, ObjectOption, SetOption, settings_of
from gateway.cli.output import put, say
from gateway.errors import counted
from gateway.storage import require_state, verify_chains

_UNRECORDED = (
    "No start of the gateway recorded a gap there: events were changed or removed, or the record went with a lost"
    " state.db. Keep a copy of the folder, and compare with the newest whole backup (campus-gateway restore FILE)."
)

audit_app = typer.Typer(no_args_is_help=True, help="The record of who did what.")
ca_app = typer.Typer(no_args_is_help=True, help="The site's own certificate authority.")


@audit_app.command("verify", short_help="Check both hash chains.")
def verify(as_json: ObjectOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Check the hash chains of the journal and of the audit trail; names the first broken entry, and exits 1."""
    report = verify_chains(settings_of(config, set_).storage.directory)
    whole = report.broken_event is None and report.broken_entry is None
    if as_json:
        begun = [
            {"position": each.position, "file": each.file, "at": each.at.isoformat()} for each in report.begun_anew
        ]
        put(json.dumps({"whole": whole, **asdict(replace(report, begun_anew=())), "begun_anew": begun}))
        raise typer.Exit(0 if whole else 1)
    for each in report.begun_anew:
        why = f"because a damaged file was put aside on {each.at:%Y-%m-%d %H:%M:%S} UTC ({each.file})"
        put(f"The journal begins anew at position {each.position}, {why}.")
    if report.broken_event is not None:
        say(f"The journal's chain breaks at position {report.broken_event}. {_UNRECORDED}")
    if report.broken_entry is not None:
        say(f"The audit trail's chain breaks at entry {report.broken_entry}.")
    if not whole:
        raise typer.Exit(1)
    found = f"newest position {report.last_position}" if report.begun_anew else counted(report.last_position, "event")
    put(f"Both chains are whole; {found}.")


@ca_app.command("export", short_help="Print the CA's certificate (PEM).")
def export(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print the CA's certificate (PEM), to be installed on every guard's machine; its key stays here."""
    settings = settings_of(config, set_)
    names = [*settings.api.names, settings.api.host]
    directory, site = settings.storage.directory, settings.gateway.site
    require_state(directory, files=["state.db"])
    files = ensure_tls(directory, site=site, names=names, now=datetime.now(UTC))
    put(files.ca.read_text("ascii").rstrip("\n"))
