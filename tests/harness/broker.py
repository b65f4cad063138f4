"""A mosquitto of the test's own, on a free port of the loopback."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from harness.ports import free_port


class Mosquitto:
    """Runs while the `with` block does; `settings` are further lines of its configuration."""

    def __init__(self, folder: Path, *, settings: tuple[str, ...] = (), port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        command = ["mosquitto", "-c", str(configuration)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < until, "mosquitto did not start"
                time.sleep(0.05)
            else:
                return self

    def _configuration(self) -> str:
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "user root", *self._settings]
        return "\n".join(lines) + "\n"

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
