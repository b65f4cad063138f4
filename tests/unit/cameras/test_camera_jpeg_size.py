"""The size that a JPEG claims."""

import io
import struct

import pytest
from PIL import Image

from gateway.cameras import jpeg_size


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\x00\x00" + b"x" * 900}])
def test_pictures_of_the_library_are_read(options: dict[str, bytes | bool]) -> None:
    file = io.BytesIO()
    Image.new("RGB", (321, 123)).save(file, "JPEG", **options)
    assert jpeg_size(file.getvalue()) == (321, 123)


def test_a_claim_is_told_and_fill_bytes_are_passed_over() -> None:
    frame = b"\xff\xff\xff\xc0" + struct.pack(">HBHH", 17, 8, 20_000, 30_000) + b"\x03"
    assert jpeg_size(b"\xff\xd8\xff\xe0\x00\x04ab" + frame) == (30_000, 20_000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\x00\x00" * 3,
        b"\xff\xd8\xff\xda\x00\x02",
        b"\xff\xd8\xff\xc0\x00\x11\x08",
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8" + b"\xff\xd0" * 100_000 + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01",
    ],
)
def test_what_claims_no_size_has_none(content: bytes) -> None:
    assert jpeg_size(content) is None
