"""Decides which pictures are searched for faces, and where in them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching import Detection
from gateway.vision.video.motion import WIDTH, MotionGate, Region

# Around what moved, in px of the gate's plane, and around a face that is followed, in its heights.
_RIM_MOTION, _RIM_FACE = 4, 1.0
# From this share of the picture on, searching all of it costs no more.
_WHOLE_SHARE = 0.45
_WHOLE_EACH_SECONDS = 1.6
# Looks in a row in which something moves, from which on it is somebody and no branch or pulse of the encoder.
_WALKS, _ROW_SECONDS = 3, 2.0
# What moves around a face that is followed is mostly its own body, which is searched for others so often only.
_BODY_EACH_SECONDS = 0.4
# Looks are a frame early or late.
_JITTER_SECONDS = 0.05


class Attention:
    """One camera's: the motion gate, and the regions worth a search.

    Args:
        still_seconds: after so long without motion and without a face, the scene counts as still.
    """

    def __init__(self, still_seconds: float) -> None:
        self.gate = MotionGate()
        self._still_seconds = still_seconds
        self._lively_at: float | None = None
        self._moved_at: float | None = None
        self._row = 0
        self._whole_at: float | None = None
        self._bodies_at: float | None = None

    def regions(
        self, at: float, plane: NDArray[np.uint8], faces: Sequence[Detection], width: int, *, sought: bool = False
    ) -> tuple[Region, ...]:
        """Where to look in a picture.

        Args:
            at: its stream time (s).
            plane: its small luma plane (h, `motion.WIDTH`).
            faces: where those are who are followed, in px of the picture.
            width: of the picture in px.
            sought: whether one of them was not seen in the look before.

        Returns:
            Boxes (x, y, width, height) in px of the plane; one of the whole plane means everywhere; () nowhere.
        """
        motion = self.gate.look(at, plane)
        self._note(at, moved=bool(motion.regions), followed=bool(faces))
        if not motion.open and not faces:
            return ()
        whole = (0, 0, plane.shape[1], plane.shape[0])
        around = [_around(face, WIDTH / width, whole) for face in faces]
        moving = [_grown(region, _RIM_MOTION, whole) for region in motion.regions or ()]
        boxes = around + (moving if sought else self._without_bodies(at, moving, faces, WIDTH / width))
        all_of_it = motion.open and motion.regions is None
        if all_of_it or self._is_due(at) or sum(w * h for _, _, w, h in boxes) > _WHOLE_SHARE * whole[2] * whole[3]:
            self._whole_at = at
            return (whole,)
        return tuple(boxes)

    def _without_bodies(
        self, at: float, moving: list[Region], faces: Sequence[Detection], scale: float
    ) -> list[Region]:
        """What moves, without what holds a face that is followed while that is not due."""
        if not _is_within(at, self._bodies_at, _BODY_EACH_SECONDS):
            self._bodies_at = at
            return moving
        middles = [(face.centre[0] * scale, face.centre[1] * scale) for face in faces]
        return [box for box in moving if not any(_holds(box, middle) for middle in middles)]

    def _note(self, at: float, *, moved: bool, followed: bool) -> None:
        """Keep when something last went on here: who walks moves in look after look, a branch in one or two."""
        self._row = (self._row + 1 if _is_within(at, self._moved_at, _ROW_SECONDS) else 1) if moved else 0
        if moved:
            self._moved_at = at
        if self._row >= _WALKS or followed or self._lively_at is None or at < self._lively_at:
            self._lively_at = at

    def is_still(self, at: float) -> bool:
        """Whether nothing has moved, and nobody was followed, for long enough to rest."""
        return self._lively_at is not None and at - self._lively_at >= self._still_seconds

    def _is_due(self, at: float) -> bool:
        """Whether the whole picture is due: somebody may stand where nothing moves."""
        return not _is_within(at, self._whole_at, _WHOLE_EACH_SECONDS)


def _is_within(at: float, since: float | None, seconds: float) -> bool:
    return since is not None and 0 <= at - since < seconds - _JITTER_SECONDS


def _holds(region: Region, point: tuple[float, float]) -> bool:
    left, top, width, height = region
    return left <= point[0] <= left + width and top <= point[1] <= top + height


def _grown(region: Region, rim: int, whole: Region) -> Region:
    left, top, width, height = region
    x, y = max(0, left - rim), max(0, top - rim)
    return x, y, min(whole[2], left + width + rim) - x, min(whole[3], top + height + rim) - y


def _around(face: Detection, scale: float, whole: Region) -> Region:
    rim = _RIM_FACE * face.height
    left, top = max(0, int((face.x - rim) * scale)), max(0, int((face.y - rim) * scale))
    right = min(whole[2], int((face.x + face.width + rim) * scale) + 1)
    bottom = min(whole[3], int((face.y + face.height + rim) * scale) + 1)
    return left, top, max(1, right - left), max(1, bottom - top)


def shrunk(rgb: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """A picture (h, w, 3) at most `width` px wide, in its proportions: halved by area, then the rest linearly.

    OpenCV's area interpolation is fast for halves only, 5.3 against 0.5 ms for 1280 to 480 px.
    """
    while rgb.shape[1] >= 2 * width:
        rgb = np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    if rgb.shape[1] <= width:
        return rgb
    size = (width, max(1, round(rgb.shape[0] * width / rgb.shape[1])))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def in_picture(regions: Sequence[Region], plane: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> list[Region] | None:
    """Regions of the gate's plane (h, w) in px of a picture (h, w, 3) of the same view; None for all of it."""
    rows, columns = plane.shape
    if (0, 0, columns, rows) in regions:
        return None
    x_scale, y_scale = rgb.shape[1] / columns, rgb.shape[0] / rows
    return [
        (int(x * x_scale), int(y * y_scale), max(1, int(w * x_scale)), max(1, int(h * y_scale)))
        for x, y, w, h in regions
    ]
