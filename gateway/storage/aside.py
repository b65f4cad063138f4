"""Damaged files are put aside at the start of the gateway, beside their place, so that it goes on with fresh ones."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.events import Cause, because
from gateway.storage.damage import damage_of, log_is_void
from gateway.storage.database import wrong_tables
from gateway.storage.faults import StorageDamagedError, StorageFailedError
from gateway.storage.folder import sync_folder

_PARTS = ("-wal", "-shm", "-journal")
_NAME = re.compile(
    r"(?P<file>(?:journal|state)\.db(?:-wal|-shm|-journal)?|state\.lock|evidence)"
    r"\.damaged-(?P<at>\d{8}T\d{6}Z)(?:-\d+)?"
)
_TIME = "%Y%m%dT%H%M%SZ"
_SUSPECT = ".suspect"
_NOTE_CHARACTERS = 500
_LOST = {
    "journal.db": "The history of events is gone from the console but for what was taken over.",
    "evidence": "Pictures and clips from before are gone.",
    "state.db": "Accounts, the watch-list, and what was entered by API (buttons, cameras, destinations) are gone, and "
    "the set-up link is shown anew: enter them again, or restore.",
}
_LOST_LOG = "What was committed last may be missing."
_LOST_NOTHING = "Nothing is gone with it."
_RESTORE = (
    "To have all of a backup back: stop the gateway, move {directory} away, campus-gateway restore FILE. "
    "It is kept for whoever can repair it; remove it when it is needed no more, because it holds personal data."
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Aside:
    """A damaged file that was put aside.

    Attributes:
        file: its name before, such as ``journal.db``.
        place: where it is now.
        at: when it was put there.
    """

    file: str
    place: Path
    at: datetime

    @property
    def told(self) -> str:
        """What happened to it, what is gone with it, and the remedy."""
        lost = _LOST_LOG if self.file.endswith("-wal") else _LOST.get(self.file, _LOST_NOTHING)
        remedy = _RESTORE.format(directory=self.place.parent)
        return f"{self.file} was damaged and is put aside as {self.place}. {lost} {remedy}"

    @property
    def cause(self) -> Cause:
        """The same as a fault says it."""
        figures = {"file": self.file, "place": str(self.place), "directory": str(self.place.parent)}
        if self.file.endswith("-wal"):
            return because("file_damaged", self.told, reason="file_damaged_log", **figures)
        if self.file == "journal.db":
            return because("file_damaged", self.told, reason="file_damaged_journal", **figures)
        if self.file == "state.db":
            return because("file_damaged", self.told, reason="file_damaged_state", **figures)
        if self.file == "evidence":
            return because("file_damaged", self.told, reason="file_damaged_evidence", **figures)
        return because("file_damaged", self.told, **figures)


def put_aside_if_damaged(path: Path, migrations: str, newest: tuple[str, ...], now: datetime) -> Aside | None:
    """Put a file that is damaged aside, or only what belongs to it if that is; None if all is well.

    Damage is also what is no file at all (a folder, a pipe, a link to nothing) and a file that lacks its tables. Nobody
    may have the file open. What is put aside is never written over and never removed by the gateway.

    Args:
        path: the file.
        migrations: the folder of its numbered scripts.
        newest: tables whose newest rows are read.
        now: for the name.

    Raises:
        StorageFailedError: the folder's disk or rights do not let it.
    """
    try:
        parts = [part for tail in _PARTS if os.path.lexists(part := path.with_name(path.name + tail))]
        wrong = [_put_aside(part, "it is no file", now) for part in parts if not _is_plain(part)]
        if reason := wrong_kind(path) or _suspected(path) or damage_of(path, newest) or wrong_tables(path, migrations):
            return _put_aside(path, reason, now)
        if log_is_void(path):
            return _put_aside(path.with_name(f"{path.name}-wal"), "its header is damaged", now)
    except OSError as error:
        remedy = "Let the gateway's user own the state folder, on a disk that can be written."
        what = f"cannot be looked at or put aside: {error.strerror}"
        raise StorageFailedError(what, where=str(path), remedy=remedy) from None
    return wrong[0] if wrong else None


def put_aside_if_no_file(path: Path, now: datetime) -> Aside | None:
    """Put aside what has taken the place of a file: a folder, a pipe, a link to nothing; None if all is well.

    Raises:
        StorageFailedError: the folder's disk or rights do not let it.
    """
    try:
        return _put_aside(path, reason, now) if (reason := wrong_kind(path)) else None
    except OSError as error:
        raise StorageFailedError(f"is no file, and cannot be put aside: {error.strerror}", where=str(path)) from None


def put_aside_if_no_folder(path: Path, now: datetime) -> Aside | None:
    """Put aside what has taken the place of a folder, such as a file or a link to nothing; None if all is well.

    Raises:
        StorageFailedError: the folder's disk or rights do not let it.
    """
    try:
        return _put_aside(path, "it is no folder", now) if os.path.lexists(path) and not path.is_dir() else None
    except OSError as error:
        raise StorageFailedError(f"is no folder, and cannot be put aside: {error.strerror}", where=str(path)) from None


def note_damage(error: StorageDamagedError) -> None:
    """Remember that damage was met while a file was in use: the next start puts it aside, however whole it looks."""
    path = Path(error.where)
    try:
        path.with_name(path.name + _SUSPECT).write_text(f"{path.stat().st_ino}\n{error.what}\n", "utf-8")
    except OSError as trouble:
        _log.error("%s is damaged, and that cannot be noted: %s", path, trouble.strerror)


def files_aside(directory: Path) -> list[Aside]:
    """What was put aside in a folder and is still there, oldest first."""
    found = [each for path in directory.iterdir() if (each := _named(path))]
    return sorted(found, key=lambda each: (each.at, each.place.name))


def _named(path: Path) -> Aside | None:
    """What its name says; a name that only looks like one of ours says nothing."""
    if (name := _NAME.fullmatch(path.name)) is None:
        return None
    try:
        return Aside(name["file"], path, datetime.strptime(name["at"], _TIME).replace(tzinfo=UTC))
    except ValueError:
        return None


def lately_lost(asides: list[Aside], file: str, now: datetime, within: timedelta) -> bool:
    """Whether a file was put aside less than `within` ago."""
    return any(each.file == file and now - each.at < within for each in asides)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def wrong_kind(path: Path) -> str:
    """Why it cannot be opened as a file: a link is followed to a file, as SQLite does, but to nothing else."""
    if path.is_file() or not os.path.lexists(path):
        return ""
    return "it is a link to no file" if path.is_symlink() else "it is no file"


def _suspected(path: Path) -> str:
    """What was noted of the file while it was in use; a note of one that is there no more goes."""
    reason, note = noted_damage(path), path.with_name(path.name + _SUSPECT)
    if not reason and note.is_file():
        note.unlink()
    return reason


def noted_damage(path: Path) -> str:
    """What was noted of the file while it was in use; of a file that was put in its place since then, nothing."""
    note = path.with_name(path.name + _SUSPECT)
    if not note.is_file():
        return ""
    with note.open(encoding="utf-8", errors="replace") as file:
        inode, _, reason = file.read(_NOTE_CHARACTERS).partition("\n")
    if path.is_file() and inode == str(path.stat().st_ino):
        return reason.strip() or "it was damaged when it was in use"
    return ""


def _put_aside(path: Path, reason: str, now: datetime) -> Aside:
    """Rename a file; what belongs to it goes first, so that a crash in between leaves nothing to be taken for stale."""
    target = next(each for each in _targets(path, now) if not _taken(each))
    for tail in (*_PARTS, ""):
        part = path.with_name(path.name + tail)
        if os.path.lexists(part):
            if _is_plain(part):  # never what a link names
                part.chmod(0o600)
            part.rename(target.with_name(target.name + tail))
    with suppress(FileNotFoundError, IsADirectoryError):
        path.with_name(path.name + _SUSPECT).unlink()
    sync_folder(path.parent)
    _log.critical("%s is damaged (%s): it is put aside as %s", path, reason, target)
    return Aside(path.name, target, now.astimezone(UTC).replace(microsecond=0))  # as its name says it later


def _targets(path: Path, now: datetime) -> Iterator[Path]:
    name = f"{path.name}.damaged-{now.astimezone(UTC).strftime(_TIME)}"
    yield path.with_name(name)
    number = 2
    while True:
        yield path.with_name(f"{name}-{number}")
        number += 1


def _taken(target: Path) -> bool:
    return any(os.path.lexists(target.with_name(target.name + tail)) for tail in ("", *_PARTS))
