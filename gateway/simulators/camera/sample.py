"""Encodes a short recording of moving squares, for trials and tests that have no recording at hand."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

_SQUARES = 5
_GROUP_OF_PICTURES = 12


def write_test_recording(
    path: Path, *, width: int = 320, height: int = 180, frames: int = 48, frames_per_second: int = 12
) -> Path:
    """Write `frames` pictures of coloured squares that move over grey to `path` and return it.

    H.264, a keyframe every 12 pictures, no B-frames; width and height in pixels, even.
    """
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(_GROUP_OF_PICTURES), "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(frames_per_second), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(_picture(width, height, number), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _picture(width: int, height: int, number: int) -> npt.NDArray[np.uint8]:
    """Picture `number` as height x width x RGB."""
    picture = np.full((height, width, 3), 96, np.uint8)
    side = height // 6
    for square in range(_SQUARES):
        left = (square * width // _SQUARES + number * (square + 2)) % (width - side)
        top = square * (height - side) // (_SQUARES - 1)
        picture[top : top + side, left : left + side] = (255 - 40 * square, 50 * square, 128)
    return picture
