"""The writer thread: takes all that is queued, commits it with one sync, then wakes who waits."""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from gateway.errors import GatewayError
from gateway.storage.damage import file_fault, without_value, words_of
from gateway.storage.faults import StorageFailedError, StorageFullError, StorageLockedError

_IDLE_SECONDS = 2.0
_LARGEST_GROUP = 512
_POURS_FROM = 8
_WAIT_EACH, _MOST_WAIT = 0.0002, 0.005
# A full disk that cannot hold the write-ahead index is told as an I/O error of its own.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_OF_THE_DISK = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_NOMEM,
    }
)

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    work: Work
    future: asyncio.Future[Any]
    empties_log: bool = False
    patient: bool = False
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class WriterStatistics:
    """Commits and jobs since the start, and the duration of the newest commit in milliseconds."""

    commits: int
    jobs: int
    last_commit_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterHooks:
    """What a writer calls.

    Attributes:
        on_full: in the thread; gives disk space free and says whether it had any.
        on_rollback: in the thread, after a group was undone.
        on_commit: in the thread, after a group is durable, before anybody is woken.
        on_results: on the loop, with what the works of a durable group gave, before anybody is woken; also for works
            whose caller does not wait any more.
        on_failure: on the loop, when the disk failed for good.
    """

    on_full: Callable[[], bool] = lambda: False
    on_rollback: Callable[[], None] = lambda: None
    on_commit: Callable[[], None] = lambda: None
    on_results: Callable[[list[Any]], None] = lambda _results: None
    on_failure: Callable[[StorageFailedError], None] = lambda _error: None


class Writer:
    """Owns the one writing connection of a file.

    Args:
        connection: from `open_writer`.
        name: of the thread.
        path: the file, for messages.
        guard: entered for every transaction and checkpoint; keeps other processes' writers out.
        checkpoints: whether this connection moves the write-ahead file's content; one of a file must.
        window_seconds: how long a group waits for company; 0 commits at once what is there.
        hooks: what is called when.

    Attributes:
        refusing: why the newest group was refused for now, such as a full disk; None once there is room again.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        name: str,
        *,
        path: Path,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
        checkpoints: bool = True,
        window_seconds: float = 0.0,
        hooks: WriterHooks | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._guard = guard
        self._checkpoints = checkpoints
        self._window = window_seconds
        self._hooks = hooks or WriterHooks()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._patient: deque[_Job] = deque()
        self._loop = asyncio.get_running_loop()
        self._failed: StorageFailedError | None = None
        self.refusing: GatewayError | None = None
        self._closed = False
        self._counts = [0, 0]
        self._last_ms = 0.0
        self._newest_group = 0
        self._checkpoint_due = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def statistics(self) -> WriterStatistics:
        """How much was committed, and how fast the newest commit was."""
        return WriterStatistics(self._counts[0], self._counts[1], self._last_ms)

    def submit(
        self, work: Callable[[sqlite3.Connection], Result], *, patient: bool = False
    ) -> "asyncio.Future[Result]":
        """Queue `work`; the future is done once its effect is durable.

        Works whose class has a static `together(connection, works)` are done by it where they stand side by side.

        What is `patient` lets all else go first: at most one such work is in a group, the oldest.

        An exception of `work` undoes it alone and comes back through the future, but for StorageFailedError: nothing
        is written any more after it. A work may run again after its effects were undone, because another of its group
        failed or the disk was full.

        Raises:
            StorageFailedError: the disk failed before, or the store is closed.
        """
        return self._enqueue(work, patient=patient)

    async def checkpoint(self) -> None:
        """Move everything into the file and empty the write-ahead file, behind all that is queued.

        If a reader stands in the way, it is done as soon as nothing else is to be written.

        Raises:
            StorageFailedError: the disk failed before, or the store is closed.
        """
        await self._enqueue(lambda _connection: None, empties_log=True)

    def _enqueue(
        self, work: Callable[[sqlite3.Connection], Result], *, empties_log: bool = False, patient: bool = False
    ) -> "asyncio.Future[Result]":
        if self._failed is not None:
            raise self._failed
        if self._closed:
            raise StorageFailedError("the store is closed")
        future: asyncio.Future[Result] = self._loop.create_future()
        self._jobs.put(_Job(work, future, empties_log, patient))
        return future

    async def close(self) -> None:
        """Commit what is queued, checkpoint, close the connection."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        with suppress(StorageLockedError), self._guard():
            self._connection.close()
        self._connection.close()  # whoever holds the file: its log is emptied by the next start

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._commit(group)
            else:
                self._checkpoint()
        if self._failed is None and self._checkpoint_due:
            self._checkpoint_due = "TRUNCATE"
            self._checkpoint()

    def _next_group(self) -> list[_Job] | None:
        """What is committed together; nothing: there is time for a checkpoint; None: the end."""
        group: list[_Job] = []
        try:
            if not self._patient:
                first = self._jobs.get(timeout=_IDLE_SECONDS if self._checkpoint_due else None)
                if first is None:
                    return None
                self._sort(first, group)
                if wait := self._window or self._company():
                    time.sleep(wait)
            while len(group) < _LARGEST_GROUP:
                job = self._jobs.get_nowait()
                if job is None:
                    self._jobs.put(None)
                    break
                self._sort(job, group)
        except queue.Empty:
            pass
        if self._patient:
            group.append(self._patient.popleft())
        return group

    def _company(self) -> float:
        """Seconds to wait for company: what pours in costs less in larger groups, and each waits for many anyway."""
        return min(_MOST_WAIT, _WAIT_EACH * self._newest_group) if self._newest_group >= _POURS_FROM else 0.0

    def _sort(self, job: _Job, group: list[_Job]) -> None:
        (self._patient if job.patient else group).append(job)

    def _commit(self, group: list[_Job]) -> None:
        began = time.perf_counter()
        try:
            if self._failed is not None:
                raise self._failed
            with self._guard():
                self._try_group(group)
        except (StorageFullError, StorageLockedError) as error:
            self.refusing = error
            _fail(group, error)
        except Exception as error:  # nobody may wait for a thread that died
            self._undo()
            self._fail_for_good(group, error)
        else:
            self.refusing = None
            self._last_ms = (time.perf_counter() - began) * 1e3
            self._counts[0] += 1
            self._counts[1] += len(group)
            self._newest_group = len(group)
            self._hooks.on_commit()
            self._note_checkpoint(empties_log=any(job.empties_log for job in group))
        self._post(lambda: self._settle(group))

    def _settle(self, group: list[_Job]) -> None:
        self._hooks.on_results([job.result for job in group if job.error is None])
        for job in group:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)

    def _try_group(self, group: list[_Job]) -> None:
        while True:
            try:
                self._transaction(group)
            except sqlite3.Error as error:
                self._undo()
                if not self._made_room(error):
                    raise _fault_of(error, self._path) from without_value(error)
            else:
                return

    def _made_room(self, error: sqlite3.Error) -> bool:
        if _code(error) not in _FULL or not self._hooks.on_full():
            return False
        _log.error("the disk is full: the reserve is given up")
        return True

    def _transaction(self, group: list[_Job]) -> None:
        """All works in one transaction; only if one of them fails, again with a savepoint before each."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for together, jobs in groupby(group, key=_together_of):
                self._work_off(together, list(jobs))
        except Exception as error:  # found again below, and given to who asked for the work
            if _ends_all(error):
                raise
            self._undo()
            self._transaction_one_by_one(group)
        else:
            execute("COMMIT")

    def _work_off(self, together: Callable[..., Sequence[Any]] | None, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            job.error = None
        if together is not None:
            results = together(self._connection, [job.work for job in jobs])
        else:
            results = [job.work(self._connection) for job in jobs]
        for job, result in zip(jobs, results, strict=True):
            job.result = result

    def _transaction_one_by_one(self, group: list[_Job]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for job in group:
            job.error = None
            execute("SAVEPOINT job")
            try:
                job.result = job.work(self._connection)
            except Exception as error:  # whatever it is belongs to who asked for the work, but for the disk's
                if _ends_all(error):
                    raise
                execute("ROLLBACK TO job")
                job.error = without_value(error)
            execute("RELEASE job")
        execute("COMMIT")

    def _undo(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                _log.error("rollback failed: %s", words_of(error))
        self._hooks.on_rollback()

    def _fail_for_good(self, group: list[_Job], error: Exception) -> None:
        if not isinstance(error, StorageFailedError):
            _log.exception("the writer failed", exc_info=error)
            error = StorageFailedError(f"the writer failed: {type(error).__name__}")
        _fail(group, error)
        if self._failed is None:
            failed = self._failed = error
            self._post(lambda: self._hooks.on_failure(failed))

    def _post(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            _log.warning("the loop ended before the writer")

    def _note_checkpoint(self, *, empties_log: bool) -> None:
        if not self._checkpoints:
            return
        self._checkpoint_due = self._checkpoint_due or "PASSIVE"
        if empties_log:
            self._checkpoint_due = "TRUNCATE"
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Do the checkpoint that is due; one that a reader kept from its end stays due."""
        try:
            with self._guard():
                row = self._connection.execute(f"PRAGMA wal_checkpoint({self._checkpoint_due})").fetchone()
        except (sqlite3.Error, StorageLockedError) as error:
            _log.warning("checkpoint: %s", words_of(error) if isinstance(error, sqlite3.Error) else error)
            return
        busy, in_log, moved = row
        if not busy and in_log == moved:
            self._checkpoint_due = ""


def _together_of(job: _Job) -> Callable[..., Sequence[Any]] | None:
    """How works of a kind are done as one; None: each by itself."""
    return getattr(job.work, "together", None)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)


def _ends_all(error: Exception) -> bool:
    """Whether it is of the file rather than of one work."""
    of_the_disk = isinstance(error, sqlite3.Error) and _code(error) & 0xFF in _OF_THE_DISK
    return of_the_disk or isinstance(error, StorageFailedError)


def _fault_of(error: sqlite3.Error, path: Path) -> GatewayError:
    code = _code(error)
    if code in _FULL:
        return StorageFullError("the disk is full", remedy="Free some space.")
    if code & 0xFF == sqlite3.SQLITE_BUSY:
        remedy = "Close the other program; copies are made with the gateway's own backup."
        return StorageLockedError("another program holds the database", remedy=remedy)
    return file_fault(error, path, "Check the disk.", what="the disk answered: ")


def _fail(group: list[_Job], error: BaseException) -> None:
    for job in group:
        job.error = error
