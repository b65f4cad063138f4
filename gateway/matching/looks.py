"""Gathers what the looks at one face say about who it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.matching.embedder import compares_directions
from gateway.matching.gallery import Gallery
from gateway.matching.gallery_values import Candidate

_RIVALS = 3
_TINIEST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One embedded view of a face: vector (d,), the face's height in the frame (px) and the view's quality 0..1."""

    vector: NDArray[np.float32]
    height_px: float
    quality: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whom one look resembles (nearest first), and how much it can be trusted."""

    candidates: tuple[Candidate, ...]
    height_px: float
    quality: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All looks at one face: each one's opinion, whom their mean vector resembles, and the network that made them."""

    opinions: tuple[Opinion, ...]
    mean: tuple[Candidate, ...]
    model: str


def weigh_looks(gallery: Gallery, looks: Sequence[Look], *, reach: float, least_height_px: float = 0.0) -> Evidence:
    """Ask the gallery about each look and about their mean, weighted by quality, in one search.

    Where only directions are compared, the mean is brought back to the looks' length: a mean of different directions is
    shorter than they, and so nearer to everybody.

    Args:
        gallery: whom to look for.
        looks: at one face; those lower than `least_height_px` are left out.
        reach: the largest distance of a candidate worth knowing (`MatchPolicy.reach`, or more for statistics).
        least_height_px: `MatchPolicy.least_height_px`.
    """
    counted = [look for look in looks if look.height_px >= least_height_px]
    if not counted:
        return Evidence((), (), gallery.fingerprint)
    vectors = np.stack([look.vector for look in counted])
    weights = np.array([max(look.quality, 1e-3) for look in counted])
    mean = np.average(vectors, axis=0, weights=weights)
    if compares_directions(gallery.fingerprint):
        mean *= np.linalg.norm(vectors[0]) / max(float(np.linalg.norm(mean)), _TINIEST)
    single, *each = gallery.identify(np.vstack([mean, vectors]).astype(np.float32), reach, _RIVALS)
    opinions = tuple(Opinion(found, look.height_px, look.quality) for found, look in zip(each, counted, strict=True))
    return Evidence(opinions, single, gallery.fingerprint)
