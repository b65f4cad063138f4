"""What systemd is told: ready, alive, stopping (sd_notify(3)); silent where nobody listens."""

import contextlib
import os
import socket


class ServiceManager:
    """The socket named by NOTIFY_SOCKET, if there is one."""

    def __init__(self, address: str | None = None) -> None:
        named = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + named[1:] if named.startswith("@") else named

    def ready(self, status: str) -> None:
        """The daemon accepts presses."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """The loop still turns; for WatchdogSec."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon ends in order."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), self._address)
