"""``backup`` and ``restore``: the state folder in one file, made while the gateway runs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.cli.output import say
from gateway.storage import back_up, key_place, restore

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup (tar).", show_default=False)]


def backup_command(file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Write a consistent copy of the state folder into FILE, in the place of a former one; the gateway may run.

    Neither the master key nor model files are in it.
    """
    storage, former = settings_of(config, set_).storage, file.is_file()
    back_up(storage.directory, file)
    say(f"{file} holds the state{', in the place of the former copy' if former else ''}.")
    say("In it, too: the private key of the site's CA, which guards' browsers trust: keep the file as safe as a key.")
    say(f"Not in it: the master key ({key_place(storage)}), without which it cannot be opened: keep it elsewhere, too;")
    say(f"and the models ({storage.models_directory}): campus-gateway models install brings the detector back.")


def restore_command(file: FileArgument, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Unpack FILE into a state folder that is empty; the gateway must not run."""
    storage = settings_of(config, set_).storage
    restore(file, storage.directory)
    say(f"{storage.directory} is restored. Before the gateway starts:")
    say(f"put the master key of this state to {key_place(storage)} (mode 0400; the copy does not hold it),")
    say("then campus-gateway models install, if the detector was installed.")
