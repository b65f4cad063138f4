"""Options that several commands share, and the configuration that they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import ConfigError, Fault
from gateway.settings import FILE_NAME, Settings, Survey, load_settings, survey_settings


def _folder(path: Path) -> Path:
    """The folder that is meant, also where its gateway.toml was named."""
    if not path.is_file():
        return path
    if path.name == FILE_NAME:
        return path.parent
    raise ConfigError([Fault(str(path), "", "is a file", f"Name the folder that holds {FILE_NAME}.")])


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        help="Folder that holds gateway.toml.",
        metavar="DIR",
        envvar="CAMPUS_GATEWAY_CONFIG",
        callback=_folder,
    ),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="section.key=value over the file; repeatable.", metavar="KEY=VALUE")
]
ObjectOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DEFAULT_CONFIG = Path("config")


def settings_of(config: Path, overrides: list[str] | None) -> Settings:
    """The settings of a command: file, then environment, then ``--set``.

    Raises:
        ConfigError: with every fault found.
    """
    return load_settings(config, overrides=overrides or (), environment=os.environ)


def survey_of(config: Path, overrides: list[str] | None) -> Survey:
    """As `settings_of`, but with what stands beside the faults.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    return survey_settings(config, overrides=overrides or (), environment=os.environ)
