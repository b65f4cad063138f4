"""Encodes a short recording of moving squares, for trials and tests that have no recording at hand."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

_SQUARES = 5
_GROUP_OF_PICTURES = 12
_PLAIN = {"preset": "ultrafast", "tune": "zerolatency", "g": str(_GROUP_OF_PICTURES), "threads": "1"}
_H265_PARAMETERS = f"log-level=none:pools=1:frame-threads=1:scenecut=0:min-keyint={_GROUP_OF_PICTURES}"
_ENCODERS = {
    "h264": ("libx264", _PLAIN),
    "h265": ("libx265", _PLAIN | {"x265-params": _H265_PARAMETERS}),
}
CODECS = tuple(_ENCODERS)


def write_test_recording(
    path: Path,
    *,
    width: int = 320,
    height: int = 180,
    frames: int = 48,
    frames_per_second: int = 12,
    codec: str = "h264",
) -> Path:
    """Write `frames` pictures of coloured squares that move over grey to `path` and return it.

    `codec` is one of `CODECS`; a keyframe every 12 pictures, no B-frames; width and height in pixels, even.
    """
    encoder, options = _ENCODERS[codec]
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(encoder, rate=Fraction(frames_per_second), options=options))
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
