"""Chooses the simulator by its kind and loads nothing of the others."""

import sys
from collections.abc import Sequence
from importlib import import_module

KINDS = ("camera", "button", "panel", "office", "police")
_WRONG_USAGE = 2
_HELP = f"""usage: campus-gateway simulate {{{",".join(KINDS)}}} [options]

A simulated device or receiver that speaks the real protocol.

  camera   an ONVIF camera that plays a recording over RTSP
  button   an alarm button on MQTT, pressed by key or by clock
  panel    an alarm panel that speaks SIA DC-09
  office   a security office: prints the events that it is sent
  police   a police platform: the same, with its faults

Its own options: campus-gateway simulate KIND --help
"""


def main(argv: Sequence[str]) -> int:
    """Run the simulator named by the first argument with the remaining ones; returns its exit code.

    Each kind is the module or package ``gateway.simulators.<kind>`` with ``main(argv) -> int``.
    """
    if argv and argv[0] in ("--help", "-h"):
        sys.stdout.write(_HELP)
        return 0
    if not argv or argv[0] not in KINDS:
        said = f"unknown simulator {argv[0]!r}" if argv else "no simulator named"
        sys.stderr.write(f"{said}; name one of: {', '.join(KINDS)}\n")
        return _WRONG_USAGE
    code: int = import_module(f"gateway.simulators.{argv[0]}").main(list(argv[1:]))
    return code
