"""The program: its commands, and how an error leaves it."""

import sys
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.accounts import token_app, user_app
from gateway.cli.audit import audit_app, ca_app
from gateway.cli.backup import backup_command, restore_command
from gateway.cli.cameras import cameras_app
from gateway.cli.check_config import check_config
from gateway.cli.demo import demo
from gateway.cli.doctor import doctor_app
from gateway.cli.local import of_system
from gateway.cli.matching import matching_app
from gateway.cli.models_command import models_app
from gateway.cli.mqtt_password import mqtt_password
from gateway.cli.output import put, say
from gateway.cli.run import run
from gateway.cli.simulate import simulate
from gateway.cli.status import status
from gateway.cli.watchlist import watchlist_app
from gateway.errors import ConfigError, GatewayError

_WRONG_USAGE = 2
app = typer.Typer(
    name="campus-gateway",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        put(__version__)
        raise typer.Exit


app.command(short_help="The daemon.")(run)
app.command(short_help="Everything on this machine, to try it.")(demo)
app.command("check-config", short_help="Every fault of the configuration.")(check_config)
app.command(short_help="One screen of what runs.")(status)
app.command(
    short_help="A simulated camera, button, panel, office or police.",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(simulate)
app.command("mqtt-password", short_help="The hash of a button's password.")(mqtt_password)
app.command("backup", short_help="The state folder into one file.")(backup_command)
app.command("restore", short_help="The state folder out of that file.")(restore_command)
app.add_typer(doctor_app, name="doctor", short_help="What works and what does not, with remedies.")
app.add_typer(cameras_app, name="cameras")
app.add_typer(models_app, name="models")
app.add_typer(matching_app, name="matching")
app.add_typer(watchlist_app, name="watchlist")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")
app.add_typer(ca_app, name="ca")


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Joins a school's alarm buttons and cameras into one early-warning system."""


def main() -> None:
    """Run a command; an error names what, where and the remedy, never a traceback."""
    try:
        app()
    except ConfigError as error:
        say(f"The configuration has {len(error.faults)} fault{'s' if len(error.faults) > 1 else ''}:\n{error}")
        sys.exit(_WRONG_USAGE)
    except GatewayError as error:
        say(f"error: {error}")
        sys.exit(1)
    except OSError as error:
        say(f"error: {of_system(error)}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
