"""A simulated alarm panel: sends SIA DC-09 over TCP or UDP, encrypted or not, and sends again until it is answered."""

import argparse
import binascii
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_CODES = {"press": "1120", "silent": "1122", "duress": "1121", "clear": "3120", "tamper": "1383", "test": "1601"}
_BLOCK = 16
_LAST_SEQUENCE = 9999
_LONGEST_REPLY = 4096
_KEY_BYTES = (16, 24, 32)
_FAILED, _WRONG_USAGE = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the receiver replied.

    Attributes:
        token: ACK, NAK or DUH; empty if nothing came.
        sequence: the number that it repeats.
        stamp: its time, if it gave one.
        raw: all bytes.
    """

    token: str
    sequence: str = ""
    stamp: str = ""
    raw: bytes = b""


class SimulatedPanel:
    """One panel.

    Args:
        host, port: of the receiver.
        account: 3 to 16 hex digits.
        key: AES key of 16, 24 or 32 bytes; None sends in the clear.
        udp: datagrams, not a TCP connection.
        clock_ahead: seconds that the panel's clock is wrong by.
        timeout: seconds to wait for a reply.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        account: str = "1234",
        key: bytes | None = None,
        udp: bool = False,
        clock_ahead: float = 0.0,
        timeout: float = 5.0,
    ) -> None:
        self._address = (host, port)
        self._account = account
        self._key = key
        self._udp = udp
        self._ahead = timedelta(seconds=clock_ahead)
        self._timeout = timeout
        self._sequence = 0
        self._socket: socket.socket | None = None

    def report(self, code: str, zone: int, *, occurred: datetime | None = None, partition: int = 1) -> Answer:
        """Send a Contact ID event (qualifier and code, such as ``1120``) under a new number."""
        extra = f"[H{occurred.astimezone(UTC):%H:%M:%S,%m-%d-%Y}]" if occurred else ""
        return self.send("ADM-CID", f"#{self._account}|{code} {partition:02} {zone:03}]{extra}")

    def link_test(self) -> Answer:
        """Send NULL."""
        return self.send("NULL", "]", sequence="0000")

    def send(self, token: str, content: str, *, sequence: str = "", repeat: int = 1) -> Answer:
        """Send a message; the same number is sent again, `repeat` times at most, until a reply comes."""
        if not sequence:
            self._sequence = self._sequence % _LAST_SEQUENCE + 1
            sequence = f"{self._sequence:04}"
        frame = self.frame(token, content, sequence)
        for _ in range(repeat):
            answer = self._exchange(frame)
            if answer.token:
                return answer
        return Answer(token="")

    def frame(self, token: str, content: str, sequence: str) -> bytes:
        """The bytes of a message."""
        stamped = f"{content}_{datetime.now(UTC) + self._ahead:%H:%M:%S,%m-%d-%Y}".encode()
        if self._key is not None:
            pad = b"".join(b"%c" % (65 + byte % 26) for byte in os.urandom(-(len(stamped) + 1) % _BLOCK))
            encryptor = Cipher(algorithms.AES(self._key), modes.CBC(bytes(_BLOCK))).encryptor()
            stamped = binascii.hexlify(encryptor.update(pad + b"|" + stamped)).upper()
        star = "*" if self._key is not None else ""
        body = f'"{star}{token}"{sequence}R0L0#{self._account}['.encode() + stamped
        return b"\n" + f"{_crc(body):04X}{len(body):04X}".encode() + body + b"\r"

    def _exchange(self, frame: bytes) -> Answer:
        try:
            if self._udp:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                    datagrams.settimeout(self._timeout)
                    datagrams.sendto(frame, self._address)
                    return self._read(datagrams.recv(4096))
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=self._timeout)
            self._socket.sendall(frame)
            received = b""
            while b"\r" not in received:
                chunk = self._socket.recv(4096)
                if not chunk or len(received) > _LONGEST_REPLY:
                    raise ConnectionError("closed, or no reply")
                received += chunk
            return self._read(received)
        except OSError:
            self.close()
            return Answer(token="")

    def _read(self, raw: bytes) -> Answer:
        try:
            return self._parsed(raw)
        except ValueError:  # of something that is no receiver
            return Answer(token="", raw=raw)

    def _parsed(self, raw: bytes) -> Answer:
        body = raw.strip(b"\n\r")[8:]
        if int(raw.strip(b"\n\r")[:4], 16) != _crc(body):
            return Answer(token="", raw=raw)
        token, _, rest = body[1:].partition(b'"')
        head, _, content = rest.partition(b"[")
        if token.startswith(b"*") and self._key is not None:
            decryptor = Cipher(algorithms.AES(self._key), modes.CBC(bytes(_BLOCK))).decryptor()
            content = decryptor.update(binascii.unhexlify(content))
        stamp = content.rpartition(b"_")[2].decode("ascii", "replace") if b"_" in content else ""
        return Answer(token=token.decode().lstrip("*"), sequence=head[:4].decode(), stamp=stamp, raw=raw)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _crc(data: bytes) -> int:
    """CRC-16/ARC, bit by bit from the polynomial x^16 + x^15 + x^2 + 1."""
    register = 0
    for bit in (byte >> shift & 1 for byte in data for shift in range(8)):
        register = (register >> 1) ^ (0xA001 if (register ^ bit) & 1 else 0)
    return register


def main(argv: Sequence[str]) -> int:
    """Run a panel as a command: sends one event, or a link test, and prints the reply."""
    arguments = _parser().parse_args(argv)
    try:
        key = _key(arguments.key_file) if arguments.key_file else None
    except (OSError, ValueError) as error:
        print(f"panel: {arguments.key_file}: {error}", file=sys.stderr)  # noqa: T201  # a command
        return _WRONG_USAGE
    panel = SimulatedPanel(
        host=arguments.host, port=arguments.port, account=arguments.account, key=key, udp=arguments.udp
    )
    try:
        code = _CODES.get(arguments.kind, arguments.kind)
        answer = panel.link_test() if arguments.kind == "null" else panel.report(code, arguments.zone)
    finally:
        panel.close()
    print(f"{answer.token or 'no reply'} {answer.stamp}".strip(), flush=True)  # noqa: T201  # what the command is for
    return 0 if answer.token == "ACK" else _FAILED  # noqa: S105  # the id of a reply


def _key(file: Path) -> bytes:
    key = bytes.fromhex(file.read_text("utf-8").strip())
    if len(key) not in _KEY_BYTES:
        raise ValueError(f"an AES key has 32, 48 or 64 hex digits, not {2 * len(key)}")
    return key


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campus-gateway simulate panel", description=main.__doc__)
    parser.add_argument("kind", help=f"{', '.join(_CODES)}, null, or a qualifier and code such as 1130")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12300)
    parser.add_argument("--account", default="1234")
    parser.add_argument("--zone", type=int, default=1)
    parser.add_argument("--key-file", type=Path, help="file with the AES key in hex digits")
    parser.add_argument("--udp", action="store_true")
    return parser
