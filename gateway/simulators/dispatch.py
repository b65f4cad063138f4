"""Chooses the simulator by its kind and loads nothing of the others."""

import sys
from collections.abc import Sequence
from importlib import import_module

KINDS = ("camera", "button", "panel", "office", "police")
_WRONG_USAGE = 2


def main(argv: Sequence[str]) -> int:
    """Run the simulator named by the first argument with the remaining ones; returns its exit code.

    Each kind is the module or package ``gateway.simulators.<kind>`` with ``main(argv) -> int``.
    """
    if not argv or argv[0] not in KINDS:
        said = f"unknown simulator {argv[0]!r}" if argv else "no simulator named"
        sys.stderr.write(f"{said}; name one of: {', '.join(KINDS)}\n")
        return _WRONG_USAGE
    code: int = import_module(f"gateway.simulators.{argv[0]}").main(list(argv[1:]))
    return code
