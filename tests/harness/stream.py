"""A client of the event stream that notes when each event arrived."""

import json
import socket
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit


class StreamReader:
    """Reads ``/events/stream`` in a thread of its own.

    Attributes:
        arrived: event id → (monotonic seconds of arrival, the event); the first arrival counts.
    """

    def __init__(self, url: str, cookie: str, after: int = 0) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.arrived: dict[str, tuple[float, dict[str, Any]]] = {}
        self.heartbeats = 0
        self.changed = threading.Condition()
        self._socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
        request = (
            f"GET /api/v1/events/stream?after={after} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        self._file = self._socket.makefile("rb")
        status = self._file.readline()
        assert b" 200 " in status, status
        self._thread = threading.Thread(target=self._read, name="stream-reader")
        self._thread.start()

    def _read(self) -> None:
        kind = ""
        try:
            for line in self._file:
                if line.startswith(b"event:"):
                    kind = line[6:].strip().decode()
                elif line.startswith(b"data:"):
                    self._take(kind, json.loads(line[5:]), time.monotonic())
        except (OSError, ValueError):
            return

    def _take(self, kind: str, data: dict[str, Any], now: float) -> None:
        with self.changed:
            if kind == "heartbeat":
                self.heartbeats += 1
            elif "id" in data:
                self.arrived.setdefault(data["id"], (now, data))
            self.changed.notify_all()

    def wait(self, count: int, kind: str, seconds: float = 30.0) -> list[tuple[float, dict[str, Any]]]:
        """Wait until `count` events of a type are there."""

        def found() -> list[tuple[float, dict[str, Any]]]:
            return [each for each in self.arrived.values() if each[1]["type"] == kind]

        with self.changed:
            done = self.changed.wait_for(lambda: len(found()) >= count, seconds)
            assert done, f"{len(found())} of {count} {kind} came"
            return found()

    def close(self) -> None:
        """End the connection and the thread."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
