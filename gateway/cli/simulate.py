"""``simulate``: hands over to the simulators' own program, which this house does not import."""

import os
import sys
from typing import Annotated

import typer


def simulate(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="camera, button, panel, office or police", metavar="KIND")],
) -> None:
    """Run a simulated device or receiver that speaks the real protocol; --help after KIND tells its options."""
    os.execv(sys.executable, [sys.executable, "-m", "gateway.simulators", kind, *context.args])  # noqa: S606  # no shell
