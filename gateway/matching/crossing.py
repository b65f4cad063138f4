"""Tells which faces came so close to one another that nobody can say from their boxes who is who afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.matching.detection import Detection

# Two who pass each other between two looks come nearer than this (in heights) on the straight way.
_NEAREST = 0.5
# A face may be taken for one that was not found within this (in heights) of it; as far as pairing reaches.
_MISTAKEN = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One followed face at this look: where it was, where it is, or where it should be if it was not found."""

    before: Detection
    now: Detection
    seen: bool


def entangled(steps: Sequence[Step], overlap: float) -> frozenset[int]:
    """Indices of the faces that nobody can tell apart now.

    Two are so that overlap by more than `overlap` (IoU); that passed each other since the last look; or of which one
    was not found while the other is so near to where it was, or should be, that it may be either. Two that were both
    not found are not: there is nobody whom one of them could have become.
    """
    return frozenset(index for pair in _pairs(steps, overlap) for index in pair)


def _pairs(steps: Sequence[Step], overlap: float) -> Iterator[tuple[int, int]]:
    for i, one in enumerate(steps):
        for j in range(i):
            other = steps[j]
            if one.seen and other.seen:
                close = one.now.overlap(other.now) > overlap or _passed(one, other)
            else:
                close = (one.seen and _may_be(one, other)) or (other.seen and _may_be(other, one))
            if close:
                yield i, j


def _may_be(seen: Step, missed: Step) -> bool:
    """Whether a face that was found may be the one that was not."""
    return _near(seen.now, missed.now) or _near(seen.now, missed.before)


def _near(a: Detection, b: Detection) -> bool:
    return abs(complex(*a.centre) - complex(*b.centre)) < _MISTAKEN * max(a.height, b.height)


def _passed(one: Step, other: Step) -> bool:
    """Whether the straight ways of two faces cross: their distance, as a vector, passes close by zero on its way."""
    before = complex(*one.before.centre) - complex(*other.before.centre)
    way = complex(*one.now.centre) - complex(*other.now.centre) - before
    if abs(way) == 0:
        return False
    share = -(before * way.conjugate()).real / abs(way) ** 2
    height = min(one.now.height, other.now.height)
    return 0 < share < 1 and abs(before + share * way) < _NEAREST * height
