"""What systemd is told, on a socket that stands in for it."""

import socket
from pathlib import Path

from gateway.daemon.notify import ServiceManager


def test_ready_alive_and_stopping_reach_the_socket(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        manager = ServiceManager(address)
        manager.ready("accepting presses")
        manager.alive()
        manager.stopping()
        told = [systemd.recv(200).decode() for _ in range(3)]
    assert told == ["READY=1\nSTATUS=accepting presses", "WATCHDOG=1", "STOPPING=1"]


def test_where_nobody_listens_nothing_happens(tmp_path: Path) -> None:
    ServiceManager("").ready("x")
    ServiceManager(str(tmp_path / "gone")).ready("x")
