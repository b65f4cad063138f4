"""Tells which box of a frame continues which track."""

from collections.abc import Callable, Sequence

from gateway.matching.detection import Detection

# At a few looks a second a passer-by moves by more than a box: the next box is taken for the same face if it is not
# farther than its height and about as large, and no other claims it.
_STEP = 1.0
_GROWTH = 1.3


def pair_boxes(old: Sequence[Detection], new: Sequence[Detection], overlap: float) -> dict[int, int]:
    """Indices of old boxes (where they are expected now) by those of the new ones that continue them.

    Greedy: first by the largest intersection over union above `overlap`, then, among what is left, by the smallest
    distance of the centres.
    """
    pairs: dict[int, int] = {}
    _pair(old, new, pairs, lambda a, b: _if(a.overlap(b) > overlap, -a.overlap(b)))
    _pair(old, new, pairs, lambda a, b: _if(is_near(a, b, _STEP, _GROWTH), _distance(a, b)))
    return pairs


def is_near(old: Detection, new: Detection, reach: float, growth: float) -> bool:
    """Whether the centres are at most `reach` heights apart and the heights at most `growth` times each other."""
    small, large = sorted((old.height, new.height))
    return _distance(old, new) <= reach * large and large <= growth * small


def _pair(
    old: Sequence[Detection],
    new: Sequence[Detection],
    pairs: dict[int, int],
    cost: Callable[[Detection, Detection], float | None],
) -> None:
    """Add to `pairs` the cheapest pairs of what is free yet; a cost of None forbids one."""
    free = set(range(len(old))) - set(pairs.values())
    costs = [(cost(old[i], face), i, j) for j, face in enumerate(new) if j not in pairs for i in free]
    for _, i, j in sorted((found, i, j) for found, i, j in costs if found is not None):
        if i in free and j not in pairs:
            free.remove(i)
            pairs[j] = i


def _if(allowed: bool, cost: float) -> float | None:
    return cost if allowed else None


def _distance(a: Detection, b: Detection) -> float:
    (x, y), (other_x, other_y) = a.centre, b.centre
    return float(((x - other_x) ** 2 + (y - other_y) ** 2) ** 0.5)
