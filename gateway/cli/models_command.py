"""``models install``: the detector's model into the state folder."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.models import YUNET, install_from_file, install_from_url, is_installed
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import put, say

models_app = typer.Typer(no_args_is_help=True, help="Model files.")


@models_app.command("install")
def install(
    from_: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="A copy carried in by hand.")] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Another place to fetch it from.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder; default: models/ in the state.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Install the face detector's model (YuNet), checked by its SHA-256."""
    folder = to or settings_of(config, set_).storage.models_directory
    if from_ is not None:
        path = install_from_file(YUNET, folder, from_)
    elif url is None and is_installed(YUNET, folder):
        say("It is installed already, and its sum is right.")
        path = folder / YUNET.name
    else:
        path = install_from_url(YUNET, folder, url)
    put(str(path))
