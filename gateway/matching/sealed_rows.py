"""Templates in a file, sealed a few at a time and opened when read: nothing of them is on the disk in the clear."""

import os
import struct
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.sealing import associated, new_key, seal, unseal

# Rows of a block: fewer cost more of the file for seals, more cost more to open one row.
_ROWS = 4
_LENGTHS = struct.Struct("=II")


@dataclass(frozen=True, slots=True, eq=False)
class SealedRow:
    """A template that was read back."""

    person: str
    template: str
    vector: NDArray[np.float32]


class SealedRows:
    """Rows of vectors (d,) and ids, written once; the file has no name, and its key is in this object alone.

    Args:
        folder: where the file lies.
        rows: person, template id and vector of each.
        dimension: d.
    """

    def __init__(self, folder: Path, rows: Iterable[tuple[str, str, NDArray[np.float32]]], dimension: int) -> None:
        self._file, name = tempfile.mkstemp(dir=folder)
        os.unlink(name)
        self.close = weakref.finalize(self, os.close, self._file)
        self._key, self._vector_bytes = new_key(), 4 * dimension
        self._ends = array("Q", [0])
        block: list[bytes] = []
        for person, template, vector in rows:
            names = person.encode(), template.encode()
            block.append(b"".join((_LENGTHS.pack(*map(len, names)), vector.astype("<f4").tobytes(), *names)))
            if len(block) == _ROWS:
                self._write(block)
        if block:
            self._write(block)

    def _write(self, block: list[bytes]) -> None:
        sealed = seal(self._key, b"".join(block), self._bound_to(len(self._ends) - 1))
        os.pwrite(self._file, sealed, self._ends[-1])
        self._ends.append(self._ends[-1] + len(sealed))
        block.clear()

    @staticmethod
    def _bound_to(block: int) -> bytes:
        return associated("gallery", str(block))

    @property
    def file_bytes(self) -> int:
        """Length of the file."""
        return self._ends[-1]

    @property
    def memory_bytes(self) -> int:
        """What is kept in memory."""
        return len(self._ends) * self._ends.itemsize

    def read(self, rows: Sequence[int]) -> list[SealedRow]:
        """The rows of these numbers; each block is opened once.

        Raises:
            SealError: the file was changed.
        """
        opened = {block: self._open(block) for block in {row // _ROWS for row in rows}}
        return [opened[row // _ROWS][row % _ROWS] for row in rows]

    def _open(self, block: int) -> list[SealedRow]:
        start, end = self._ends[block], self._ends[block + 1]
        plain = unseal(self._key, os.pread(self._file, end - start, start), self._bound_to(block))
        found, at = [], 0
        while at < len(plain):
            person, template = _LENGTHS.unpack_from(plain, at)
            names = at + _LENGTHS.size + self._vector_bytes
            vector = np.frombuffer(plain[at + _LENGTHS.size : names], "<f4").astype(np.float32)
            at = names + person + template
            found.append(SealedRow(plain[names : names + person].decode(), plain[names + person : at].decode(), vector))
        return found
