"""``backup`` and ``restore``: the state folder in one file, made while the gateway runs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import say
from gateway.storage import back_up, restore

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup (tar).", show_default=False)]


def backup_command(file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Write a consistent copy of the state folder into FILE; the gateway may run. The master key is not in it."""
    back_up(settings_of(config, set_).storage.directory, file)
    say(f"{file} holds the state. Keep the master key elsewhere: without it the copy cannot be opened.")


def restore_command(file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Unpack FILE into a state folder that is empty; the gateway must not run."""
    directory = settings_of(config, set_).storage.directory
    restore(file, directory)
    say(f"{directory} is restored. Put its master key back before the gateway starts.")
