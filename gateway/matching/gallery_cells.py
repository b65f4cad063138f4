"""Templates that lie near each other kept together, so that a search passes over whole cells that are too far away.

Arranged when a gallery is filled: halved again and again along the axis on which a part spreads most, until a part is
one cell (the leaves of a k-d tree: Bentley, Communications of the ACM 18(9), 1975). Of each cell the smallest and the
largest coordinates along the leading axes are kept. What is appended later lies behind, and widens its cells.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.matching.gallery_layout import GalleryArrays

_SEEN = 4_096
# More than what the squares, their sum and the differences lose in float32: (m + 3) u for m of at most 256 axes, and of
# each square the smallest normal number where it underflows.
_ROUNDED, _SMALLEST = 1 + 2.0**-15, 2.0**-126

Cut = tuple[int, int, int]


def arrangement(heads: NDArray[np.float32], cell: int) -> NDArray[np.intp]:
    """The order of templates (n,) in which each `cell` of them lie together, by their heads (n, h).

    Within a cell they keep their order; so do equal ones everywhere.
    """
    done, parts = [], [np.arange(len(heads))]
    while parts:
        part = parts.pop()
        cells = -(-len(part) // cell)
        if cells <= 1:
            done.append(np.sort(part))
            continue
        seen = heads.take(part[:: -(-len(part) // _SEEN)], axis=0)
        widest = int(seen.var(axis=0).argmax())
        part = part.take(np.argsort(heads[:, widest].take(part), kind="stable"))
        half = cells // 2 * cell
        parts += [part[half:], part[:half]]
    return np.concatenate(done)


class Cells:
    """The cells of a gallery's first `count` templates.

    Args:
        arrays: of a gallery whose shape has cells.
        count: how many templates a reader may look at.
    """

    def __init__(self, arrays: GalleryArrays, count: int) -> None:
        self.size = arrays.shape.cell
        self._of_block = arrays.shape.block // self.size
        corners = arrays.cells[: -(-count // self.size)]
        self._low, self._high = corners[:, 0], corners[:, 1]

    def near(self, heads: NDArray[np.float32], reaches: Sequence[float]) -> NDArray[np.bool_]:
        """Which cells can hold a template within reach of a probe: (b, cells).

        Every head of a cell lies between its corners, so it is at least as far from the probe's head as the nearest
        point between them; both are the float32 values that are stored, and taking the greater or the lesser rounds
        nothing.

        Args:
            heads: (b, h) the probes' leading axes, as many as the corners have.
            reaches: b distances between heads, as `gallery_bound.head_reach` gives them.
        """
        wanted = heads[:, None]
        gaps = np.minimum(np.maximum(wanted, self._low), self._high)
        gaps -= wanted
        least = gaps.shape[2] * _SMALLEST
        limits = np.array([reach * reach * _ROUNDED + least for reach in reaches])
        passed: NDArray[np.bool_] = np.einsum("bca,bca->bc", gaps, gaps) <= limits[:, None]
        return passed

    def around(self, heads: NDArray[np.float32]) -> list[int]:
        """For each probe (b, h) the cell whose middle is nearest."""
        middles = (self._low + self._high) / 2 - heads[:, None]
        nearest: list[int] = np.einsum("bca,bca->bc", middles, middles).argmin(axis=1).tolist()
        return nearest

    def cuts(self, numbers: Sequence[int]) -> list[Cut]:
        """Cells, ascending, as stretches of the blocks: block, first column, column behind the last."""
        found: list[Cut] = []
        for number in numbers:
            block, place = divmod(number, self._of_block)
            first, end = place * self.size, (place + 1) * self.size
            if found and found[-1][0] == block and found[-1][2] == first:
                found[-1] = (block, found[-1][1], end)
            else:
                found.append((block, first, end))
        return found
