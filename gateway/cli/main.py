"""The program: its commands, and how an error leaves it."""

import sys
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.lazy import Named, lazy_group
from gateway.cli.local import of_system
from gateway.cli.output import put, say
from gateway.errors import ConfigError, GatewayError

_WRONG_USAGE = 2
_ANY_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_COMMANDS = {
    "run": Named("gateway.cli.run:run", "The daemon."),
    "demo": Named("gateway.cli.demo:demo", "Everything on this machine, to try it."),
    "check-config": Named("gateway.cli.check_config:check_config", "Every fault of the configuration."),
    "status": Named("gateway.cli.status:status", "One screen of what runs."),
    "simulate": Named(
        "gateway.cli.simulate:simulate", "A simulated camera, button, panel, office or police.", _ANY_WORDS
    ),
    "mqtt-password": Named("gateway.cli.mqtt_password:mqtt_password", "The hash of a button's password."),
    "backup": Named("gateway.cli.backup:backup_command", "The state folder into one file."),
    "restore": Named("gateway.cli.backup:restore_command", "The state folder out of that file."),
    "doctor": Named("gateway.cli.doctor:doctor_app", "What works and what does not, with remedies."),
    "cameras": Named("gateway.cli.cameras:cameras_app", "Cameras of the running gateway."),
    "models": Named("gateway.cli.models_command:models_app", "Model files."),
    "matching": Named("gateway.cli.matching:matching_app", "When a face is like somebody of the watch-list."),
    "watchlist": Named("gateway.cli.watchlist:watchlist_app", "The watch-list."),
    "user": Named("gateway.cli.accounts:user_app", "Accounts."),
    "token": Named("gateway.cli.accounts:token_app", "API tokens of programs."),
    "audit": Named("gateway.cli.audit:audit_app", "The record of who did what."),
    "ca": Named("gateway.cli.audit:ca_app", "The site's own certificate authority."),
}
app = typer.Typer(
    name="campus-gateway",
    cls=lazy_group(_COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        put(__version__)
        raise typer.Exit


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
