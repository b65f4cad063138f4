"""What SQLite writes and syncs, recorded below the real code, and the disk as a loss of power would leave it.

A VFS of SQLite (https://sqlite.org/vfs.html) around the system's own: it is put in by ctypes into the same library that
the `sqlite3` module uses, so that the code under test is the one that runs.
"""

import ctypes
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512
_POINTER = ctypes.c_void_p
_KEPT_FILES = 0x100 | 0x800 | 0x80000  # SQLITE_OPEN_MAIN_DB, MAIN_JOURNAL, WAL

# A name is passed on as the pointer that it is: SQLite keeps it until the file is closed (https://sqlite.org/c3ref/vfs.html).
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, _POINTER, ctypes.c_int, ctypes.POINTER(ctypes.c_int))
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_char_p, ctypes.c_int)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", _POINTER),
        ("zName", ctypes.c_char_p),
        ("pAppData", _POINTER),
        ("xOpen", _OPEN),
        ("xDelete", _DELETE),
        *((name, _POINTER) for name in ("xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose")),
        *((name, _POINTER) for name in ("xRandomness", "xSleep", "xCurrentTime", "xGetLastError")),
        *((name, _POINTER) for name in ("xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall")),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("xClose", _POINTER),
        ("xRead", _POINTER),
        ("xWrite", _WRITE),
        ("xTruncate", _TRUNCATE),
        ("xSync", _SYNC),
        *((name, _POINTER) for name in ("xFileSize", "xLock", "xUnlock", "xCheckReservedLock", "xFileControl")),
        *((name, _POINTER) for name in ("xSectorSize", "xDeviceCharacteristics", "xShmMap", "xShmLock")),
        *((name, _POINTER) for name in ("xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")),
    )


class _File(ctypes.Structure):
    _fields_ = (("pMethods", ctypes.POINTER(_Methods)),)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: `kind` is write, truncate, sync or delete; `place` an offset or a size."""

    kind: str
    path: str
    place: int = 0
    data: bytes = b""


@dataclass
class Recording:
    """What was done to the files, in order."""

    operations: list[Operation] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        self.operations.append(operation)

    def disk_at(self, moment: int, chance: random.Random) -> dict[str, bytes]:
        """The files if power went away behind so many operations.

        What was synced is there. Of what was not, an arbitrary subset of the sectors is, in whatever order.
        """
        files: dict[str, bytearray] = defaultdict(bytearray)
        unsynced: dict[str, list[Operation]] = defaultdict(list)
        for operation in self.operations[:moment]:
            if operation.kind == "sync":
                for waiting in unsynced.pop(operation.path, ()):
                    _apply(files[operation.path], waiting)
            elif operation.kind == "delete":
                files.pop(operation.path, None)
                unsynced.pop(operation.path, None)
            else:
                unsynced[operation.path].append(operation)
        for path, waiting_ones in unsynced.items():
            for part in _lucky(waiting_ones, chance):
                _apply(files[path], part)
        return {path: bytes(content) for path, content in files.items()}


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.place :]
        content.extend(bytes(max(0, operation.place - len(content))))
        return
    end = operation.place + len(operation.data)
    content.extend(bytes(max(0, end - len(content))))
    content[operation.place : end] = operation.data


def _lucky(operations: list[Operation], chance: random.Random) -> list[Operation]:
    """The parts that reached the disk all the same."""
    share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    parts: list[Operation] = []
    for operation in operations:
        if operation.kind == "truncate":
            parts += [operation] if chance.random() < share else []
            continue
        for start in range(0, len(operation.data), SECTOR):
            if chance.random() < share:
                piece = operation.data[start : start + SECTOR]
                parts.append(Operation("write", operation.path, operation.place + start, piece))
    return parts


def sqlite_library() -> ctypes.CDLL | None:
    """The library that the `sqlite3` module uses; None if it is built into the interpreter."""
    import sqlite3  # noqa: F401, PLC0415  # it loads the library

    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        name = line.rpartition(" ")[2]
        if "/libsqlite3.so" in name:
            return ctypes.CDLL(name)
    return None


_kept: list[Any] = []  # what SQLite may still point to, for the life of the process


@contextmanager
def recording() -> Iterator[Recording]:
    """Record all that connections do that are opened within the block."""
    library = sqlite_library()
    assert library is not None
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    library.sqlite3_vfs_register.argtypes = (ctypes.POINTER(_Vfs), ctypes.c_int)
    library.sqlite3_vfs_unregister.argtypes = (ctypes.POINTER(_Vfs),)
    system = library.sqlite3_vfs_find(None)
    record = Recording()
    own = _wrapped(system.contents, record)
    library.sqlite3_vfs_register(ctypes.byref(own), 1)
    try:
        yield record
    finally:
        library.sqlite3_vfs_register(system, 1)
        library.sqlite3_vfs_unregister(ctypes.byref(own))


def _wrapped(system: _Vfs, record: Recording) -> _Vfs:
    own = _Vfs.from_buffer_copy(system)
    own.zName = b"recording"
    paths: dict[int, str] = {}
    methods: dict[int, _Methods] = {}

    def opened(vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        code: int = system.xOpen(vfs, name, file, flags, out)
        if code == 0 and flags & _KEPT_FILES and name:
            paths[file] = Path(ctypes.string_at(name).decode()).name
            held = ctypes.cast(file, ctypes.POINTER(_File)).contents
            address = ctypes.addressof(held.pMethods.contents)
            if address not in methods:
                methods[address] = _recording_methods(held.pMethods.contents, paths, record)
            held.pMethods = ctypes.pointer(methods[address])
        return code

    def deleted(vfs: int, name: bytes, sync: int) -> int:
        record.add(Operation("delete", Path(name.decode()).name))
        code: int = system.xDelete(vfs, name, sync)
        return code

    own.xOpen, own.xDelete = _OPEN(opened), _DELETE(deleted)
    _kept.extend([own, own.xOpen, own.xDelete, methods, paths])
    return own


def _recording_methods(system: _Methods, paths: dict[int, str], record: Recording) -> _Methods:
    own = _Methods.from_buffer_copy(system)
    plain = _Methods.from_buffer_copy(system)

    def write(file: int, data: int, size: int, place: int) -> int:
        record.add(Operation("write", paths[file], place, ctypes.string_at(data, size)))
        code: int = plain.xWrite(file, data, size, place)
        return code

    def truncate(file: int, size: int) -> int:
        record.add(Operation("truncate", paths[file], size))
        code: int = plain.xTruncate(file, size)
        return code

    def sync(file: int, flags: int) -> int:
        code: int = plain.xSync(file, flags)
        record.add(Operation("sync", paths[file]))
        return code

    own.xWrite, own.xTruncate, own.xSync = _WRITE(write), _TRUNCATE(truncate), _SYNC(sync)
    _kept.extend([own, plain, own.xWrite, own.xTruncate, own.xSync])
    return own
