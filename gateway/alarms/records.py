"""What must outlive the process, on its way to the store: gathered, cancelled out, saved by the journal's commits."""

import asyncio
import logging
import struct
import time
from collections.abc import Sequence
from typing import Protocol

from gateway.alarms.codec import decode_packet
from gateway.alarms.encoding import encode_packet
from gateway.alarms.packets import LEVEL_5, Publish
from gateway.alarms.wireformat import Cursor, MalformedPacketError
from gateway.errors import GatewayError, PermanentError

SESSION, MESSAGE, RECEIVED, RETAINED, WILL = "session", "message", "received", "retained", "will"
_LAZY_SECONDS = 0.05
_HEAD = struct.Struct(">d")
_log = logging.getLogger(__name__)

Key = tuple[str, str, int]


class SessionStore(Protocol):
    """Where records are kept; `daemon` binds the journal's file."""

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        """All records, by kind, name and number."""
        ...

    def save(self, records: Sequence[tuple[str, str, int, bytes | None]]) -> "asyncio.Future[None]":
        """Put records, or remove those without a body; done once that survives a loss of power."""
        ...


class RecordBook:
    """Gathers changes until somebody waits for them, or a moment has passed.

    A message that was put and removed before it was saved never reaches the disk. What could not be saved is tried
    again with the next change.

    Args:
        store: None keeps nothing.
    """

    def __init__(self, store: SessionStore | None) -> None:
        self._store = store
        self._pending: dict[Key, bytes | None] = {}
        self._newest: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        """All that was kept."""
        return await self._store.load() if self._store is not None else []

    def put(self, kind: str, name: str, number: int, body: bytes) -> None:
        """Keep a record; the newest of a kind, name and number counts."""
        self._change((kind, name, number), body)

    def remove(self, kind: str, name: str, number: int) -> None:
        """Keep it no longer."""
        key = (kind, name, number)
        if kind == MESSAGE and self._pending.get(key) is not None:
            del self._pending[key]
        else:
            self._change(key, None)

    def _change(self, key: Key, body: bytes | None) -> None:
        if self._store is None:
            return
        self._pending[key] = body
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LAZY_SECONDS, self._flush_quietly)

    def flush(self) -> "asyncio.Future[None] | None":
        """Save what was gathered: done once every change so far is durable; None if nothing is left to be saved.

        The future fails with a GatewayError if that cannot be stored.
        """
        if self._pending:
            self._save()
        if self._newest is not None and self._newest.done() and _is_good(self._newest):
            self._newest = None
        return self._newest

    def _save(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._pending = self._pending, {}
        assert self._store is not None  # noqa: S101  # nothing is gathered without one
        try:
            saved = self._store.save([(*key, body) for key, body in batch.items()])
        except GatewayError as error:
            saved = asyncio.get_running_loop().create_future()
            saved.set_exception(error)
        saved.add_done_callback(lambda done: self._saved(batch, done))
        self._newest = saved

    def _saved(self, batch: dict[Key, bytes | None], done: "asyncio.Future[None]") -> None:
        if not _is_good(done):
            self._pending = batch | self._pending

    def _flush_quietly(self) -> None:
        self._timer = None
        self.flush()

    async def close(self) -> None:
        """Save what is left."""
        newest = self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if newest is not None:
            try:
                await newest
            except GatewayError as error:
                _log.error("sessions could not be stored: %s", error)


def _is_good(done: "asyncio.Future[None]") -> bool:
    return not done.cancelled() and done.exception() is None


def put_message(message: Publish, expires: float | None) -> bytes:
    """A message as a record's body: the wall time of its expiry in seconds (0: none), then the PUBLISH of MQTT 5."""
    ends = 0.0 if expires is None else expires - time.monotonic() + time.time()
    return _HEAD.pack(ends) + encode_packet(message, LEVEL_5)


def take_message(body: bytes) -> tuple[Publish, float | None]:
    """The message of a record's body and its expiry on the monotonic clock.

    Raises:
        PermanentError: it is no such record.
    """
    try:
        (ends,) = _HEAD.unpack_from(body)
        cursor = Cursor(body[_HEAD.size :])
        head, length = cursor.byte(), cursor.variable()
        packet = decode_packet(head, cursor.take(length), LEVEL_5)
    except (MalformedPacketError, struct.error) as error:
        raise PermanentError(f"a stored message cannot be read: {error}") from None
    if not isinstance(packet, Publish):
        raise PermanentError("a stored message is no PUBLISH")
    return packet, ends - time.time() + time.monotonic() if ends else None
