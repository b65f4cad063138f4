"""Plans which parts of an image are worth a search, when only some of it can hold a face."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gateway.matching.detection import Detection

Region = tuple[int, int, int, int]  # x, y, width, height in the image's pixels
_SAME_FACE = 0.5


@dataclass(frozen=True, slots=True)
class RegionRules:
    """What one search costs and needs, in pixels of the image searched.

    `grow`: how much more than the region is searched on each side, so that a face at its rim has its surroundings.
    `step`: the corners are put on multiples of this, so that the network sees the same grid as in the whole image.
    `least_side`: no smaller part is searched. `start_px`: what beginning a search costs, as pixels searched.
    """

    grow: int
    step: int
    least_side: int
    start_px: int

    def scaled(self, factor: float) -> "RegionRules":
        """The same rules for an image that is shrunk by `factor` before the search."""
        return replace(
            self,
            grow=math.ceil(self.grow / factor),
            step=max(1, round(self.step / factor)),
            least_side=math.ceil(self.least_side / factor),
            start_px=round(self.start_px / factor**2),
        )


def plan_regions(width: int, height: int, regions: Sequence[Region], rules: RegionRules) -> tuple[Region, ...] | None:
    """The parts of an image to search for the faces of `regions`; None when the whole is as cheap.

    Regions outside the image or without size are left out; two that cost less as one are joined.
    """
    parts = [part for part in (_grown(region, width, height, rules) for region in regions) if part is not None]
    joined = _join(parts, rules)
    cost = sum(_cost(part, rules) for part in joined)
    return None if cost >= width * height + rules.start_px else tuple(joined)


def search_regions(
    rgb: NDArray[np.uint8],
    regions: Sequence[Region] | None,
    rules: RegionRules,
    search: Callable[[NDArray[np.uint8]], Sequence[Detection]],
) -> tuple[Detection, ...]:
    """The faces that `search` finds in the regions of an image (h, w, 3), best score first, in its pixels.

    Without regions (None), or where that is as cheap, the whole image is searched; with none (empty), nothing is.
    """
    height, width = rgb.shape[:2]
    parts = None if regions is None else plan_regions(width, height, regions, rules)
    if parts is None:
        return tuple(sorted(search(rgb), key=lambda face: -face.score))
    found = [face.moved(x, y) for x, y, w, h in parts for face in search(rgb[y : y + h, x : x + w])]
    return tuple(_apart(found) if len(parts) > 1 else sorted(found, key=lambda face: -face.score))


def _grown(region: Region, width: int, height: int, rules: RegionRules) -> Region | None:
    x, y, w, h = region
    if w <= 0 or h <= 0 or x >= width or y >= height or x + w <= 0 or y + h <= 0:
        return None
    left, right = _side(x, x + w, width, rules)
    top, bottom = _side(y, y + h, height, rules)
    return left, top, right - left, bottom - top


def _side(low: int, high: int, size: int, rules: RegionRules) -> tuple[int, int]:
    """One side of a region, grown to the grid and to the least side, within 0..size."""
    low, high = max(0, low) - rules.grow, min(size, high) + rules.grow
    wanting = max(0, rules.least_side - (high - low))
    low, high = low - wanting // 2, high + (wanting + 1) // 2
    if low < 0:
        low, high = 0, max(high, rules.least_side)
    if high > size:
        low, high = min(low, size - rules.least_side), size
    return max(0, low // rules.step * rules.step), min(size, math.ceil(high / rules.step) * rules.step)


def _cost(region: Region, rules: RegionRules) -> int:
    return region[2] * region[3] + rules.start_px


def _join(parts: list[Region], rules: RegionRules) -> list[Region]:
    """Join the first two that are cheaper together, until there are none."""
    for i, one in enumerate(parts):
        for j in range(i + 1, len(parts)):
            both = _union(one, parts[j])
            if _cost(both, rules) <= _cost(one, rules) + _cost(parts[j], rules):
                return _join([*parts[:i], *parts[i + 1 : j], *parts[j + 1 :], both], rules)
    return parts


def _union(a: Region, b: Region) -> Region:
    left, top = min(a[0], b[0]), min(a[1], b[1])
    right, bottom = max(a[0] + a[2], b[0] + b[2]), max(a[1] + a[3], b[1] + b[3])
    return left, top, right - left, bottom - top


def _apart(faces: Sequence[Detection]) -> list[Detection]:
    """Each face once, best score first, then the largest: where parts overlap, both hold it, or one a half of it."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: (-face.score, -face.height)):
        if not any(_shared(face, other) > _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _shared(a: Detection, b: Detection) -> float:
    """The common area by the smaller of the two boxes."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0.0, across) * max(0.0, down) / max(1e-9, min(a.width * a.height, b.width * b.height))
