"""Free ports of the loopback."""

import os
import random
import socket

# Below those that the kernel gives to outgoing connections: a server that starts anew finds its port free.
_FIRST, _EACH, _SHARES = 20_000, 3_000, 4
# Processes that test side by side draw from shares of their own, so that none takes what another has just found free.
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES


_GIVEN: set[int] = set()


def free_port() -> int:
    """A TCP port that nobody listens on at this moment, that no outgoing connection takes later, and no two get."""
    while True:
        port = _FIRST + _SHARE * _EACH + random.randrange(_EACH)  # no secret
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _GIVEN.add(port)
            if len(_GIVEN) > _EACH // 2:
                _GIVEN.clear()
            return port
