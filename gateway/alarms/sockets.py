"""TCP's own watch over peers that are gone without a word."""

import contextlib
import socket

_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 60, 15, 4


def find_half_open(connected: socket.socket | None) -> None:
    """Let the kernel end a connection whose peer is gone; for clients without keepalive nothing else would."""
    if connected is None:
        return
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
