"""Uploaded photos: what is read, what is refused, and what is left of the original."""

import contextlib
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway.vision.gallery.photo import NotAnImageError, read_photo


def encoded(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def two_colours(size: tuple[int, int] = (200, 100)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    return image


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP"])
def test_the_usual_formats_are_read(format_: str) -> None:
    rgb = read_photo(encoded(two_colours(), format_)).rgb
    assert rgb.shape == (100, 200, 3)
    assert rgb[50, 20, 0] > 200
    assert rgb[50, 20, 2] < 60


def test_a_turned_phone_photo_is_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    exif[0x010F] = "SecretPhoneMaker"
    photo = read_photo(encoded(two_colours(), exif=exif, comment=b"SecretPlace"))
    assert photo.rgb.shape == (200, 100, 3)
    assert photo.rgb[20, 50, 0] > 200
    assert photo.rgb[180, 50, 2] > 200
    fresh = photo.as_jpeg()
    assert b"Secret" not in fresh
    assert b"Exif" not in fresh


def test_a_large_photo_is_bounded() -> None:
    assert read_photo(encoded(two_colours((4000, 1000)))).rgb.shape == (400, 1600, 3)


def test_what_is_transparent_becomes_white() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    assert read_photo(encoded(image, "PNG")).rgb.min() == 255


def test_grey_palette_and_cmyk_are_rgb_afterwards() -> None:
    for mode in ("L", "P", "CMYK"):
        format_ = "PNG" if mode == "P" else "JPEG"
        assert read_photo(encoded(two_colours().convert(mode), format_)).rgb.shape == (100, 200, 3)


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(8000, 8000), (60000, 60000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(NotAnImageError, match="pixels"):
        read_photo(png_that_claims(width, height))


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "no photo"),
        (b"hello, I am a text file\n", "no photo"),
        (b"\xff\xd8\xff", "no photo"),
        (b"GIF89a" + bytes(100), "no photo"),
        (encoded(two_colours())[:400], "damaged or cut short"),
        (b"\xff" * (12 * 1024 * 1024 + 1), "12 MB"),
    ],
)
def test_what_is_no_photo_is_refused_in_words(file: bytes, why: str) -> None:
    with pytest.raises(NotAnImageError, match=why):
        read_photo(file)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=40))
def test_damage_is_refused_or_read_and_nothing_else(at: int, damage: bytes) -> None:
    whole = bytearray(encoded(Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3))))
    whole[at : at + len(damage)] = damage
    with contextlib.suppress(NotAnImageError):
        assert read_photo(bytes(whole)).rgb.ndim == 3
