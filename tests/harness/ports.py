"""Free ports of the loopback."""

import random
import socket

# Below those that the kernel gives to outgoing connections: a server that starts anew finds its port free.
_FIRST, _LAST = 20_000, 32_000


def free_port() -> int:
    """A TCP port that nobody listens on at this moment, and that no outgoing connection takes later."""
    while True:
        port = random.randint(_FIRST, _LAST)  # no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
