"""Free ports of the loopback."""

import os
import random
import socket

# Below those that the kernel gives to outgoing connections: a server that starts anew finds its port free.
_FIRST, _EACH, _SHARES = 20_000, 3_000, 4
# Processes that test side by side draw from shares of their own, so that none takes what another has just found free.
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES


def free_port() -> int:
    """A TCP port that nobody listens on at this moment, and that no outgoing connection takes later."""
    while True:
        port = _FIRST + _SHARE * _EACH + random.randrange(_EACH)  # no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
