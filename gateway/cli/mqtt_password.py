"""``mqtt-password``: the line that a user of the MQTT endpoint needs in the configuration."""

import asyncio
import getpass
import sys

from gateway.cli.output import put
from gateway.errors import PermanentError
from gateway.storage import PasswordHasher

_SHORTEST = 12


def mqtt_password() -> None:
    """Read a password (asked for, or the first line of stdin) and print its hash for mqtt.users."""
    asked = sys.stdin.isatty()
    password = getpass.getpass("Password of the MQTT user: ") if asked else sys.stdin.readline().rstrip("\r\n")
    if len(password) < _SHORTEST:
        what = f"a password of {len(password)} characters; at least {_SHORTEST} are needed"
        raise PermanentError(what, remedy="Devices type no passwords: take a long random one.")
    put(asyncio.run(PasswordHasher().hash(password)))
