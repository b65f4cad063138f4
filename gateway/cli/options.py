"""Options that several commands share, and the configuration that they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import Settings, load_settings

ConfigOption = Annotated[
    Path,
    typer.Option("--config", help="Folder that holds gateway.toml.", metavar="DIR", envvar="CAMPUS_GATEWAY_CONFIG"),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="section.key=value over the file; repeatable.", metavar="KEY=VALUE")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DEFAULT_CONFIG = Path("config")


def settings_of(config: Path, overrides: list[str] | None) -> Settings:
    """The settings of a command: file, then environment, then ``--set``.

    Raises:
        ConfigError: with every fault found.
    """
    return load_settings(config, overrides=overrides or (), environment=os.environ)
