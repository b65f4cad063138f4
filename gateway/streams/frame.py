"""A decoded picture that is converted only if, and as, somebody looks at it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
# A camera's own looks need three sizes; whoever asks for pictures may name any.
_MOST_KEPT = 8


class Converter:
    """Scales and converts pictures with swscale, keeping the tables of the last sizes; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, int], VideoReformatter] = OrderedDict()

    def convert(self, picture: VideoFrame, pixel_format: str, width: int, height: int) -> Pixels:
        """`picture` as an array in `pixel_format` and size, in one call of swscale, with one thread."""
        with self._lock:
            scaler = self._scaler((pixel_format, width, height))
            made = scaler.reformat(picture, width, height, pixel_format, interpolation=Interpolation.AREA, threads=1)
        pixels = np.asarray(made.to_ndarray(), np.uint8)
        # Where nothing had to be converted, the array is the picture's own memory.
        return pixels.copy() if made is picture else pixels

    def _scaler(self, made: tuple[str, int, int]) -> VideoReformatter:
        scaler = self._kept.pop(made, None) or VideoReformatter()
        self._kept[made] = scaler
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return scaler


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream.

    Attributes:
        seconds: the camera's time; grows from frame to frame, also over a recording's loops and over reconnections.
        received: when it came, by the monotonic clock, in seconds; a recording's, when it was due.
        number: counts the stream's decoded frames from 1; a gap between two looks is what was skipped.
        width, height: in pixels.
        backlog: it was left out while the scene was still and is made up for: the next one waits behind it.
    """

    seconds: float
    received: float
    number: int
    width: int
    height: int
    _picture: VideoFrame = field(repr=False, compare=False)
    _converter: Converter = field(repr=False, compare=False)
    backlog: bool = False

    def rgb(self, width: int | None = None) -> Pixels:
        """The picture as (h, w, 3) RGB, shrunk to `width` with its proportions; never enlarged.

        Converts at each call, in the caller's thread.
        """
        return self._converter.convert(self._picture, "rgb24", *self._size(width))

    def luma(self, width: int | None = None) -> Pixels:
        """The picture as (h, w) grey of full range, shrunk to `width` with its proportions; never enlarged."""
        return self._converter.convert(self._picture, "gray", *self._size(width))

    def _size(self, width: int | None) -> tuple[int, int]:
        if width is None or width >= self.width:
            return self.width, self.height
        return width, max(1, round(self.height * width / self.width))

    @classmethod
    def from_rgb(cls, rgb: Pixels, *, seconds: float = 0.0, received: float = 0.0, number: int = 1) -> "Frame":
        """A frame of an RGB array (h, w, 3), for pictures that come from no stream."""
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        return cls(seconds, received, number, picture.width, picture.height, picture, Converter())
