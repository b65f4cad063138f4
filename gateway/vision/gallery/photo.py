"""Reads an uploaded photo safely: bounded in bytes and pixels, upright, without metadata."""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gateway.errors import PermanentError

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_MOST_BYTES = 12 * 1024 * 1024
_MOST_PIXELS = 50_000_000
_LONGEST_SIDE = 1600
_JPEG_QUALITY = 92


class NotAnImageError(PermanentError):
    """The file is no photo that can be used; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo that was read: its pixels (h, w, 3) in RGB, upright, at most 1600 px on the longest side."""

    rgb: NDArray[np.uint8]

    def as_jpeg(self) -> bytes:
        """A fresh JPEG of the pixels alone: no Exif, place, thumbnail or comment of the original is in it."""
        out = BytesIO()
        Image.fromarray(self.rgb).save(out, "JPEG", quality=_JPEG_QUALITY)
        return out.getvalue()


def read_photo(file: bytes) -> Photo:
    """Read an uploaded file.

    The size that the header claims is checked before anything is decoded, so that a small file cannot unfold into
    gigabytes.

    Raises:
        NotAnImageError: it is too large, of another format, cut short or damaged.
    """
    if len(file) > _MOST_BYTES:
        raise NotAnImageError(f"the file has {len(file) / 2**20:.1f} MB; at most {_MOST_BYTES // 2**20} MB are taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; its bomb warning comes after our check
            with Image.open(BytesIO(file), formats=_FORMATS) as image:
                return _decode(image)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        reason = "is too large in pixels" if isinstance(error, Image.DecompressionBombError) else "is no photo"
        raise NotAnImageError(f"the file {reason}; JPEG, PNG, WebP and BMP are taken") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, MemoryError) as error:
        # Pillow's readers raise all of these on damaged files.
        raise NotAnImageError(f"the photo is damaged or cut short ({type(error).__name__})") from None


def _decode(image: Image.Image) -> Photo:
    width, height = image.size
    if width * height > _MOST_PIXELS:
        limit = _MOST_PIXELS // 1_000_000
        raise NotAnImageError(f"the photo has {width} x {height} pixels; at most {limit} million are taken")
    image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    return Photo(np.asarray(_flattened(upright), np.uint8))


def _flattened(image: Image.Image) -> Image.Image:
    """RGB on white where the picture is transparent."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
