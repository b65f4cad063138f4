import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.matching import ForeignModelError, TruncatedModelError
from gateway.matching.dlib_file import DlibReader

INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)


def integer(value: int) -> bytes:
    magnitude = abs(value)
    size = max(1, (magnitude.bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + magnitude.to_bytes(size, "little")


def tensor(values: np.ndarray) -> bytes:
    shape = b"".join(integer(size) for size in values.shape)
    return integer(2) + shape + values.astype("<f4").tobytes()


@given(INTEGERS)
def test_an_integer_is_read_back(value: int) -> None:
    reader = DlibReader(integer(value), "x")
    assert reader.integer() == value
    reader.finish()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_float_is_mantissa_then_exponent(value: float) -> None:
    mantissa, exponent = math.frexp(value)
    reader = DlibReader(integer(int(mantissa * 2**24)) + integer(exponent - 24), "x")
    assert reader.number() == value


def test_special_floats() -> None:
    reader = DlibReader(b"".join(integer(0) + integer(e) for e in (32000, 32001, 32002)), "x")
    assert reader.number() == math.inf
    assert reader.number() == -math.inf
    assert math.isnan(reader.number())


def test_a_float_beyond_all_bounds_is_foreign() -> None:
    with pytest.raises(ForeignModelError, match="exponent 90000"):
        DlibReader(integer(1) + integer(90000), "x").number()


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_typed_error(data: bytes) -> None:
    for method in ("integer", "boolean", "text", "number", "tensor", "alias"):
        with contextlib.suppress(ForeignModelError, TruncatedModelError):
            getattr(DlibReader(data, "x"), method)()


def test_a_tensor_keeps_shape_and_values() -> None:
    values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    read = DlibReader(tensor(values), "x").tensor()
    assert read.shape == values.shape
    assert np.array_equal(read, values)


@pytest.mark.parametrize("cut", range(1, 17))
def test_a_tensor_cut_short_says_so(cut: int) -> None:
    data = tensor(np.ones((1, 1, 1, 4), np.float32))
    with pytest.raises(TruncatedModelError, match="too early"):
        DlibReader(data[:-cut], "x").tensor()


def test_bools_and_texts() -> None:
    reader = DlibReader(b"01" + integer(5) + b"relu_", "x")
    assert (reader.boolean(), reader.boolean(), reader.text()) == (False, True, "relu_")
    with pytest.raises(ForeignModelError, match="no bool"):
        DlibReader(b"2", "x").boolean()
    with pytest.raises(ForeignModelError, match="string of -1"):
        DlibReader(integer(-1), "x").text()


def test_an_error_names_file_and_byte() -> None:
    reader = DlibReader(integer(7) + struct.pack("B", 0x70), "net.dat")
    reader.integer()
    with pytest.raises(ForeignModelError, match=r"net\.dat, byte 3"):
        reader.integer()


def test_bytes_left_over_are_foreign() -> None:
    with pytest.raises(ForeignModelError, match="3 bytes follow"):
        DlibReader(b"abc", "x").finish()
