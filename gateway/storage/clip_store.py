"""Clips as they grow: taken without waiting, sealed and written by a thread of their own, read in parts."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gateway.errors import GatewayError, PermanentError
from gateway.events import Cause, because
from gateway.storage.clip_file import GrowingFile, SealedFile
from gateway.storage.evidence_store import EvidenceStore, PersonRemovedError
from gateway.storage.faults import StorageFailedError
from gateway.storage.state import State
from gateway.storage.statements import load_statements
from gateway.storage.values import ClipPart, ClipState, Evidence

_SQL = load_statements("evidence")
_log = logging.getLogger(__name__)
_MOST_WAITING_BYTES = 32 * 1024 * 1024
_LARGEST_CLIP_BYTES = 512 * 1024 * 1024
_LARGEST_WHOLE_BYTES = 16 * 1024 * 1024
_SYNC_SECONDS = 1.0
# A clip grows about each second; nothing of any clip for so long, and none is being made any more.
_SILENT_SECONDS = 60.0
RECORDING, WHOLE, CUT_SHORT = "recording", "whole", "cut_short"

Result = TypeVar("Result")
OnFault = Callable[[Cause], Awaitable[object]]


@dataclass(slots=True)
class _Growing:
    """A clip that is being written; the loop's task owns it, the thread works on `file` for it."""

    evidence: Evidence
    file: GrowingFile | None = None
    noted: bool = False
    next: int = 0
    closed: bool = False
    rest: bytearray = field(default_factory=bytearray)
    size: int = 0
    seconds: float = 0.0
    synced: float = 0.0
    trouble: str = ""
    others: bool = True
    late_seconds: float = 0.0
    lost_seconds: float = 0.0


class ClipStore:
    """The clips among the evidence.

    Nothing here waits on the way of a press: parts are queued and written behind; what does not fit is given up.

    Args:
        state: of the rows.
        evidence: whose rows and files they are.
        has_room: whether the disk has room beyond the reserve that is kept for presses.
    """

    def __init__(self, state: State, evidence: EvidenceStore, has_room: Callable[[], bool]) -> None:
        self._state = state
        self._evidence = evidence
        self._has_room = has_room
        self._parts: asyncio.Queue[tuple[ClipPart, str]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._growing: dict[str, _Growing] = {}
        self._failing: set[str] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clip-writer")

    def put(self, part: ClipPart) -> None:
        """Take the next part of a clip; never waits. The first one begins it."""
        growing = self._growing.get(part.evidence.id)
        if growing is None:
            if part.number:
                return  # of a clip that was given up, or never begun
            growing = self._growing[part.evidence.id] = _Growing(part.evidence)
        if growing.closed:
            return
        trouble = part.trouble
        if part.number != growing.next:
            trouble = "a part of it is missing"
        elif self._waiting_bytes + len(part.data) > _MOST_WAITING_BYTES:
            trouble = "the disk is too slow"
        if trouble:
            part = replace(part, data=b"", last=True, cut_short=True)
        growing.next, growing.closed = part.number + 1, part.last
        self._waiting_bytes += len(part.data)
        self._parts.put_nowait((part, trouble))

    async def note_missing(self, evidence: Evidence) -> None:
        """Note that there is no clip; its `clip` says why. Nothing is noted of who is no longer on the list."""
        with suppress(PersonRemovedError):
            await self._state.write(lambda connection: self._evidence.begin_clip(connection, evidence))

    def state_of(self, evidence: Evidence) -> ClipState | None:
        """How far a clip has got now; None if it is a picture."""
        growing = self._growing.get(evidence.id)
        if growing is None or evidence.clip is None or evidence.clip.state != RECORDING:
            return evidence.clip
        return replace(
            evidence.clip,
            seconds=growing.seconds,
            size=growing.size,
            late_seconds=growing.late_seconds,
            lost_seconds=growing.lost_seconds,
        )

    async def run(self, on_fault: OnFault) -> None:
        """Write for ever.

        Args:
            on_fault: told the fault when clips of a camera begin to be given up.
        """
        while True:
            try:
                async with asyncio.timeout(_SILENT_SECONDS):
                    part, trouble = await self._parts.get()
            except TimeoutError:
                await self._end_silent()
                continue
            ended = await self._take(part, trouble)
            if ended is None:
                continue
            camera = ended.evidence.camera
            if not ended.trouble:
                self._failing.discard(camera)
            elif camera not in self._failing:
                self._failing.add(camera)
                await on_fault(_given_up(ended))

    async def _end_silent(self) -> None:
        """End clips whose child began them and fell silent; nothing waits to be written now."""
        for growing in tuple(self._growing.values()):
            await self._end(growing, cut_short=True)

    async def _take(self, part: ClipPart, trouble: str) -> _Growing | None:
        """Write one part; the clip, when it ends it."""
        self._waiting_bytes -= len(part.data)
        growing = self._growing.get(part.evidence.id)
        if growing is None:
            return None
        growing.trouble = trouble
        growing.others = part.others or not part.last
        growing.late_seconds, growing.lost_seconds = part.late_seconds, part.lost_seconds
        try:
            await self._write(growing, part)
        except PersonRemovedError:  # as it should be: what is of somebody goes with the entry
            await self._end(growing, cut_short=True)
            return None
        except (OSError, GatewayError, sqlite3.Error) as error:
            growing.trouble = _in_words(error)
        if not (part.last or growing.trouble):
            return None
        await self._end(growing, cut_short=part.cut_short)
        if growing.trouble:
            _log.error("%s is given up: %s", _name_of(growing), growing.trouble)
        return growing

    async def _write(self, growing: _Growing, part: ClipPart) -> None:
        if growing.trouble:
            return
        if growing.file is None:
            growing.file = await self._begin(growing)
        growing.rest += part.data
        if len(growing.rest) > _LARGEST_WHOLE_BYTES or growing.size + len(growing.rest) > _LARGEST_CLIP_BYTES:
            raise PermanentError("it is larger than any clip should be")
        if part.whole and growing.rest:
            await self._in_thread(lambda: self._append(growing, part.seconds))

    async def _begin(self, growing: _Growing) -> GrowingFile:
        evidence = growing.evidence
        path = self._evidence.path_of(evidence.id)
        if not await self._in_thread(self._has_room):
            raise PermanentError("the disk is nearly full", remedy="Free some space.")
        key = await self._state.write(lambda connection: self._evidence.begin_clip(connection, evidence))
        growing.noted = True
        return await self._in_thread(lambda: GrowingFile(path, key, evidence.id))

    def _append(self, growing: _Growing, seconds: float) -> None:
        """In the thread."""
        if growing.file is None:
            return
        if not self._has_room():
            raise PermanentError("the disk is nearly full", remedy="Free some space.")
        now = time.monotonic()
        if now - growing.synced >= _SYNC_SECONDS:
            growing.file.sync()
            growing.synced = now
        growing.file.append(bytes(growing.rest), seconds)
        growing.size += len(growing.rest)
        growing.seconds = seconds
        growing.rest.clear()

    async def _end(self, growing: _Growing, *, cut_short: bool) -> None:
        """Close a clip with what there is; one that holds nothing, or whose row is gone, goes altogether."""
        growing.closed = True
        file, growing.file = growing.file, None
        try:
            if file is not None:
                await self._in_thread(lambda: _closed(file))
        except OSError as error:
            growing.trouble = growing.trouble or _in_words(error)
        state = ClipState(
            state=CUT_SHORT if cut_short or growing.trouble else WHOLE,
            others=growing.others,
            late_seconds=growing.late_seconds,
            lost_seconds=growing.lost_seconds,
        )
        try:
            if growing.noted:
                await self._settle(growing.evidence.id, state)
        except GatewayError as error:
            growing.trouble = growing.trouble or _in_words(error)  # the next start settles it
        finally:
            del self._growing[growing.evidence.id]

    async def _settle(self, evidence: str, state: ClipState) -> None:
        """Note what a file that grows no more holds, and what is missing of it."""
        path = self._evidence.path_of(evidence)

        def work(connection: sqlite3.Connection) -> None:
            size, seconds = _measured(self._evidence, evidence) if path.exists() else (0, 0.0)
            about = (state.state, seconds, size, state.others, state.late_seconds, state.lost_seconds)
            noted = connection.execute(_SQL["end_clip"], (*about, evidence)).rowcount
            if not size:
                connection.execute(_SQL["purge"], (evidence,))
            if not noted or not size:
                path.unlink(missing_ok=True)

        await self._state.write(work)

    async def settle_unfinished(self) -> int:
        """At start: close what an end of the gateway left open, as cut short; how many there were.

        What cannot be closed now, as on a full disk, is left to the next start: presses wait for this one.
        """
        rows = await self._state.read(lambda c: c.execute(_SQL["unfinished"]).fetchall())
        for (evidence,) in rows:
            try:
                await self._settle(evidence, ClipState(state=CUT_SHORT))
            except StorageFailedError:
                raise
            except GatewayError as error:  # such as of a row that was damaged, and presses wait for this start
                _log.error("a clip is left as it was: %s", error)
        return len(rows)

    async def look(self, evidence: str) -> tuple[Evidence, int] | None:
        """A clip and how many bytes of it can be read now; None if it is not there (any more).

        A file that is shorter than was noted when it was closed is told as cut short.
        """

        def query(connection: sqlite3.Connection) -> tuple[Evidence, int] | None:
            found = self._evidence.find(connection, evidence)
            if found is None or (clip := found[0].clip) is None:
                return None
            try:
                size, seconds = _measured(self._evidence, evidence)
            except FileNotFoundError:
                if clip.state != RECORDING:  # one that was begun just now has none yet
                    return None
                size, seconds = 0, 0.0
            if size < clip.size:
                clip = replace(clip, state=CUT_SHORT)
            return replace(found[0], clip=replace(clip, seconds=seconds, size=size)), size

        return await self._state.read(query)

    async def read(self, evidence: str, start: int, length: int) -> bytes | None:
        """Bytes of a clip from `start` on, at most `length`; None if it is not there any more.

        Only the records that hold them are opened.

        Raises:
            SealError: a record was changed, moved or left out.
        """

        def query(connection: sqlite3.Connection) -> bytes | None:
            found = self._evidence.find(connection, evidence)
            if found is None:
                return None
            try:
                with SealedFile(self._evidence.path_of(evidence), evidence) as file:
                    return file.read(found[1], start, length)
            except FileNotFoundError:
                return None

        return await self._state.read(query)

    async def close(self) -> None:
        """Write what waits and close what grows, as cut short; a second time does nothing."""
        while not self._parts.empty():
            await self._take(*self._parts.get_nowait())
        for growing in tuple(self._growing.values()):
            await self._end(growing, cut_short=True)
        await asyncio.to_thread(self._thread.shutdown)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _name_of(growing: _Growing) -> str:
    return f"clip {growing.evidence.id} of {growing.evidence.camera}"


def _given_up(growing: _Growing) -> Cause:
    what = f"{_name_of(growing)}: {growing.trouble}"
    return because("clip_given_up", what, camera=growing.evidence.camera)


def _in_words(error: Exception) -> str:
    return error.strerror or "I/O error" if isinstance(error, OSError) else str(error)


def _closed(file: GrowingFile) -> None:
    try:
        file.sync()
    finally:
        file.close()


def _measured(store: EvidenceStore, evidence: str) -> tuple[int, float]:
    """Bytes and seconds that can be read; none of a file that holds no record.

    Raises:
        FileNotFoundError: there is no file.
    """
    try:
        with SealedFile(store.path_of(evidence), evidence) as file:
            return file.size, file.seconds
    except PermanentError:
        return 0, 0.0
