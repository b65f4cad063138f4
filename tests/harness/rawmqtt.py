"""The smallest MQTT 3.1.1 client that can time a press: one blocking socket, no threads, no queue."""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Self

_CONNACK, _PUBACK = 0x20, 0x40


class RawClient:
    """Connects with a clean session and publishes with QoS 1, one after the other."""

    def __init__(self, port: int, client_id: str = "raw") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._packet_id = 0
        name = client_id.encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name
        self._socket.sendall(bytes([0x10, len(body)]) + body)
        self._expect(_CONNACK, 4)

    def _expect(self, kind: int, size: int) -> None:
        answer = b""
        while len(answer) < size:
            chunk = self._socket.recv(size - len(answer))
            if not chunk:
                raise ConnectionError("the endpoint closed the connection")
            answer += chunk
        if answer[0] != kind:
            raise ConnectionError(f"expected packet {kind:#x}, got {answer[0]:#x}")

    def publish(self, topic: str, payload: bytes) -> tuple[float, float]:
        """Publish with QoS 1 and wait for the PUBACK: monotonic seconds before the send and after the answer."""
        packet = self._publication(topic, payload)
        before = time.monotonic()
        self._socket.sendall(packet)
        self._expect(_PUBACK, 4)
        return before, time.monotonic()

    def _publication(self, topic: str, payload: bytes) -> bytes:
        self._packet_id = self._packet_id % 65535 + 1
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + struct.pack(">H", self._packet_id) + payload
        return bytes([0x32]) + _remaining_length(len(body)) + body

    def press(self, press_id: str, device: str = "btn-01") -> tuple[float, float]:
        """One press in the gateway's own profile."""
        return self.publish(*_press(press_id, device))

    def press_at_once(self, press_ids: Sequence[str], device: str = "btn-01") -> None:
        """Several presses in one go, then wait for all their PUBACKs."""
        self._socket.sendall(b"".join(self._publication(*_press(each, device)) for each in press_ids))
        for _each in press_ids:
            self._expect(_PUBACK, 4)

    def close(self) -> None:
        """Disconnect."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _press(press_id: str, device: str) -> tuple[str, bytes]:
    return f"campus/east/button/{device}/event", json.dumps({"id": press_id, "type": "press"}).encode()


def _remaining_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)
