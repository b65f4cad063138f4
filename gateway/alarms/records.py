"""What must outlive the process, on its way to the store: gathered, cancelled out, saved by the journal's commits."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from gateway.alarms.moments import Moments
from gateway.errors import GatewayError

SESSION, MESSAGE, RECEIVED, RETAINED, WILL = "session", "message", "received", "retained", "will"
_LAZY_SECONDS = 0.05
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

    What comes while a save is under way is saved together behind it. A message that was put and removed before it was
    saved never reaches the disk. What could not be saved is tried again with the next change.

    Args:
        store: None keeps nothing.
        moments: writes down when something ends.
    """

    def __init__(self, store: SessionStore | None, moments: Moments | None = None) -> None:
        self._store = store
        self._pending: dict[Key, bytes | None] = {}
        self._covered: set[Key] = set()
        self._underway: asyncio.Future[None] | None = None
        self._following: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.moments = moments or Moments()

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        """All that was kept."""
        return await self._store.load() if self._store is not None else []

    def put(self, kind: str, name: str, number: int, body: bytes) -> None:
        """Keep a record; the newest of a kind, name and number counts."""
        key = (kind, name, number)
        if self._pending.get(key, body) is None:
            self._covered.add(key)
        self._change(key, body)

    def remove(self, kind: str, name: str, number: int) -> None:
        """Keep it no longer."""
        key = (kind, name, number)
        if kind == MESSAGE and self._pending.get(key) is not None and key not in self._covered:
            del self._pending[key]  # it never was on the disk
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
        if not self._pending:
            return self._underway
        if self._following is None:
            self._following = asyncio.get_running_loop().create_future()
        following = self._following
        if self._underway is None:
            self._save(following)
        return following

    def _save(self, told: "asyncio.Future[None]") -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._underway, self._following = told, None
        batch, self._pending = self._pending, {}
        assert self._store is not None  # noqa: S101  # nothing is gathered without one
        try:
            saved = self._store.save([(*key, body) for key, body in batch.items()])
        except GatewayError as error:
            saved = asyncio.get_running_loop().create_future()
            saved.set_exception(error)
        saved.add_done_callback(partial(self._saved, batch, told))

    def _saved(
        self, batch: dict[Key, bytes | None], told: "asyncio.Future[None]", done: "asyncio.Future[None]"
    ) -> None:
        self._underway = None
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if error is not None:
            self._pending = batch | self._pending
        else:
            self._covered -= batch.keys()
        if told.done():  # who waited was cancelled
            pass
        elif done.cancelled():
            told.cancel()
        elif error is not None:
            told.set_exception(error)
            told.exception()  # nobody need wait for it
        else:
            told.set_result(None)
        if self._following is not None:
            self._save(self._following)

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
