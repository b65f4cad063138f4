"""``models install``: the detector's model into the state folder."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.local import of_system
from gateway.cli.models import YUNET, install_from_file, install_from_url, is_installed
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import put, say
from gateway.settings import StorageSettings

models_app = typer.Typer(no_args_is_help=True, help="Model files.")


@models_app.command("install", short_help="The face detector's file, checked by its SHA-256.")
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
    folder = to or _own_folder(settings_of(config, set_).storage)
    if from_ is not None:
        path = install_from_file(YUNET, folder, from_)
    elif url is None and is_installed(YUNET, folder):
        say("It is installed already, and its sum is right.")
        path = folder / YUNET.name
    else:
        path = install_from_url(YUNET, folder, url)
    put(str(path))


def _own_folder(storage: StorageSettings) -> Path:
    """Where the gateway looks for models; below a state folder that is its owner's alone, also if this comes first.

    Raises:
        GatewayError: the state folder cannot be made.
    """
    if storage.models is None:
        try:
            storage.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise of_system(error) from None
    return storage.models_directory
