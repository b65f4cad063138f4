"""A sealed file that grows: records that are sealed one by one, so that a part can be read and a torn end does no harm.

The file is ``CGC`` and a version byte, then records: ``u32 end bit and length | u32 milliseconds | sealed text``. The
evidence's id, the record's number and what stands before the text are in the associated data, so that no record can be
changed, moved, left out or taken to another file. Only the end can be missing.
"""

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.errors import PermanentError
from gateway.sealing import OVERHEAD_BYTES, SealError, associated, seal, unseal

RECORD_BYTES = 64 * 1024
_MAGIC = b"CGC\x01"
_HEAD = struct.Struct(">II")
_END_BIT = 1 << 31


@dataclass(frozen=True, slots=True)
class _Record:
    """Where a record lies and what it holds.

    Attributes:
        offset: of the sealed text in the file.
        length: of the sealed text.
        begin: of its plain text in the whole.
        head: what stands before the sealed text.
    """

    number: int
    offset: int
    length: int
    begin: int
    head: bytes

    @property
    def end(self) -> int:
        """Of its plain text in the whole."""
        return self.begin + self.length - OVERHEAD_BYTES


class GrowingFile:
    """A file that is being written, by one thread; it is made anew.

    Args:
        path: of the file; there must be none.
        key: 32 bytes.
        evidence: the id that its records are bound to.

    Raises:
        OSError: it cannot be made or written.
    """

    def __init__(self, path: Path, key: bytes, evidence: str) -> None:
        self._key = key
        self._evidence = evidence
        self._number = 0
        self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            self._write(_MAGIC)
        except OSError:
            self.close()
            raise

    def append(self, part: bytes, seconds: float) -> None:
        """Write a part that is whole in itself.

        Args:
            part: not empty.
            seconds: what it all lasts up to its end.
        """
        milliseconds = round(seconds * 1000)
        for begin in range(0, len(part), RECORD_BYTES):
            plain = part[begin : begin + RECORD_BYTES]
            ends = begin + RECORD_BYTES >= len(part)
            head = _HEAD.pack(len(plain) + OVERHEAD_BYTES | (_END_BIT if ends else 0), milliseconds)
            self._write(head + seal(self._key, plain, _bound_to(self._evidence, self._number, head)))
            self._number += 1

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        """Make what was written survive a loss of power."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Let the file go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class SealedFile:
    """A file that `GrowingFile` wrote, or is writing, up to its last whole part.

    Args:
        path: of the file.
        evidence: the id that its records are bound to.

    Raises:
        FileNotFoundError: there is none.
        PermanentError: it is none of this version.
    """

    def __init__(self, path: Path, evidence: str) -> None:
        self._evidence = evidence
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.pread(self._descriptor, len(_MAGIC), 0) != _MAGIC:
                raise PermanentError("is no clip of this version", where=str(path))
            self._records, self.seconds = self._scan(os.fstat(self._descriptor).st_size)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _scan(self, size: int) -> tuple[list[_Record], float]:
        """The records up to the end of the last whole part, and what that lasts."""
        records, whole, milliseconds = list[_Record](), 0, 0
        offset, begin = len(_MAGIC), 0
        while offset + _HEAD.size <= size:
            head = os.pread(self._descriptor, _HEAD.size, offset)
            word, until = _HEAD.unpack(head)
            length = word & ~_END_BIT
            record = _Record(len(records), offset + _HEAD.size, length, begin, head)
            if length < OVERHEAD_BYTES or record.offset + length > size:
                break
            records.append(record)
            offset, begin = record.offset + length, record.end
            if word & _END_BIT:
                whole, milliseconds = len(records), until
        return records[:whole], milliseconds / 1000

    @property
    def size(self) -> int:
        """Plain bytes that can be read."""
        return self._records[-1].end if self._records else 0

    def read(self, key: bytes, start: int, length: int) -> bytes:
        """Plain bytes from `start` on, at most `length`; opens only the records that hold them.

        Raises:
            SealError: a record was changed, moved or left out, or the key is another.
        """
        end = min(start + length, self.size)
        opened = b"".join(self._open(key, record) for record in self._over(start, end))
        first = next(self._over(start, end), None)
        return opened[start - first.begin : end - first.begin] if first is not None else b""

    def _over(self, start: int, end: int) -> Iterator[_Record]:
        index = max(0, bisect_right(self._records, start, key=lambda record: record.begin) - 1)
        while start < end and index < len(self._records) and self._records[index].begin < end:
            yield self._records[index]
            index += 1

    def _open(self, key: bytes, record: _Record) -> bytes:
        sealed = os.pread(self._descriptor, record.length, record.offset)
        try:
            return unseal(key, sealed, _bound_to(self._evidence, record.number, record.head))
        except SealError as error:
            raise SealError(error.what, where=f"evidence {self._evidence}, record {record.number}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)


def _bound_to(evidence: str, number: int, head: bytes) -> bytes:
    return associated("clip", evidence, str(number), head.hex())
