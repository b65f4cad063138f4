"""Chooses the child program by its role; each role loads its own libraries only."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from gateway.vision.child import configure_logs, run_child
from gateway.vision.child.hardening import harden, silence_libraries
from gateway.vision.child.program import MakeRole

_ROLES = ("video", "devices", "gallery")
_PROBE = "probe"
_CHECK = "check-models"


def main(arguments: Sequence[str]) -> int:
    """Run one child program, or one look for a command that needs cameras.

    Returns:
        the exit status: 0 done, 1 failed, 2 wrong usage.
    """
    options = _parse(arguments)
    configure_logs(options.role)
    silence_libraries()
    if options.role == _PROBE:
        from gateway.vision.probe import probe  # noqa: PLC0415  # a child never probes

        return asyncio.run(probe(options.url, sys.stdin, sys.stdout))
    if options.role == _CHECK:
        from gateway.vision.model_check import check_models  # noqa: PLC0415  # loads models

        return check_models(sys.stdin, sys.stdout)
    harden()
    return asyncio.run(run_child(_role(options.role), options.channel, options.pictures))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.vision", description=__doc__)
    commands = parser.add_subparsers(dest="role", required=True)
    for role in _ROLES:
        command = commands.add_parser(role, help=f"the {role} child; the parent starts it")
        command.add_argument("--channel", type=int, required=True, help="inherited descriptor of the messages")
        command.add_argument("--pictures", type=int, required=True, help="inherited descriptor of the pictures")
    command = commands.add_parser(
        _PROBE, help="ask an ONVIF camera and print JSON; user, password, certificate in lines"
    )
    command.add_argument("url", help="onvif://host[:port]")
    commands.add_parser(_CHECK, help="open the face network of the settings on stdin and print its faults as JSON")
    return parser.parse_args(arguments)


def _role(name: str) -> MakeRole:
    if name == "devices":
        from gateway.vision.devices import DevicesRole  # noqa: PLC0415  # loads no decoder

        return DevicesRole
    if name == "gallery":
        from gateway.vision.gallery import GalleryRole  # noqa: PLC0415  # loads models

        return GalleryRole
    from gateway.vision.video import VideoRole  # noqa: PLC0415  # loads decoders

    return VideoRole
