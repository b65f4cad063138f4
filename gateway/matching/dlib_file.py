"""Reads the primitives of dlib's serialization format (`.dat`) from bytes, in pure Python.

Source: dlib 19.24 `serialize.h` and `cuda/tensor.h`, checked byte for byte against the published files. Note that a
float is written mantissa first, then exponent, although a comment there states the opposite.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gateway.matching.faults import ForeignModelError, TruncatedModelError

_SPECIAL_FLOATS = {32000: math.inf, 32001: -math.inf, 32002: math.nan}
_TENSOR_VERSION = 2
_ALIAS_VERSION = 1
_LONGEST_TEXT = 4096
_REMEDY = "Install the models package again"


class DlibReader:
    """A cursor over the bytes of one `.dat` file.

    Args:
        data: the whole file.
        name: the file's name, for error texts.

    Every method reads one value and moves on. They raise `TruncatedModelError` at the end of the bytes and
    `ForeignModelError` where the bytes are no such value.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def foreign(self, what: str) -> ForeignModelError:
        """An error that says `what` is unexpected, with the file and the byte it stands at."""
        return ForeignModelError(what, where=f"{self._name}, byte {self._at}", remedy=_REMEDY)

    def integer(self) -> int:
        """An integer: a control byte (sign bit, count), then the magnitude, little endian."""
        control = self._take(1)[0]
        size = control & 0x0F
        if control & 0x70 or not 1 <= size <= 8:  # noqa: PLR2004 - an integer has at most 8 bytes
            raise self.foreign(f"control byte 0x{control:02x} begins no integer")
        magnitude = int.from_bytes(self._take(size), "little")
        return -magnitude if control & 0x80 else magnitude

    def boolean(self) -> bool:
        """A bool: the ASCII digit 0 or 1."""
        digit = self._take(1)
        if digit not in (b"0", b"1"):
            raise self.foreign(f"{digit!r} is no bool")
        return digit == b"1"

    def text(self) -> str:
        """A string: its length as an integer, then as many bytes."""
        length = self.integer()
        if not 0 <= length <= _LONGEST_TEXT:
            raise self.foreign(f"a string of {length} bytes")
        return self._take(length).decode("latin-1")

    def number(self) -> float:
        """A float: mantissa, then exponent of two."""
        mantissa, exponent = self.integer(), self.integer()
        if exponent in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[exponent]
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError as error:
            raise self.foreign(f"a float with exponent {exponent}") from error

    def tensor(self) -> NDArray[np.float32]:
        """A tensor of four dimensions (samples, channels, rows, columns): raw little-endian float32."""
        self.expect(self.integer, _TENSOR_VERSION, "tensor version")
        shape = self._shape()
        values = np.frombuffer(self._take(4 * math.prod(shape)), dtype="<f4")
        return values.reshape(shape)

    def alias(self) -> tuple[int, int, int, int]:
        """The shape of a slice of the tensor of parameters before it."""
        self.expect(self.integer, _ALIAS_VERSION, "alias tensor version")
        return self._shape()

    def expect(self, read: Callable[[], object], wanted: object, what: str) -> None:
        """Read one value by the method `read` and refuse the file unless it is `wanted`."""
        found = read()
        if found != wanted:
            raise self.foreign(f"{what} is {found!r}, not {wanted!r}")

    def finish(self) -> None:
        """Refuse the file if bytes remain."""
        left = len(self._data) - self._at
        if left:
            raise self.foreign(f"{left} bytes follow the last record")

    def _shape(self) -> tuple[int, int, int, int]:
        shape = (self.integer(), self.integer(), self.integer(), self.integer())
        if min(shape) < 0:
            raise self.foreign(f"a tensor of shape {shape}")
        return shape

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise TruncatedModelError(
                f"the file ends at byte {len(self._data)}, {count - len(piece)} bytes too early",
                where=self._name,
                remedy=_REMEDY,
            )
        self._at += count
        return piece
