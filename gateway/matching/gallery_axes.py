"""Learns where a gallery's variance lies, and measures how many leading axes are worth a look before the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.errors import PermanentError
from gateway.matching.gallery_bound import AXES_DEFECT

_SAMPLE = 20_000
_PROBES, _TEMPLATES = 256, 2_048
_DEPTHS = (8, 16, 24, 32, 40, 64, 96, 128, 192, 256)
_GRID = 65
_LEAST_SHARE = 1e-5
# Thresholds in use, as parts of the distance of two strangers: 0.35 to 0.6 for dlib, 1.05 to 1.15 for unit vectors.
_BATCHES = (1, 8, 64)
_CLOSE = (0.4, 0.45, 0.5, 0.56, 0.62, 0.68, 0.75, 0.82)
# Probes from which on they are multiplied together, fewer one by one.
LEAST_BATCH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """An orthonormal basis and what it is worth.

    Attributes:
        centre: (d,) mean of the templates.
        basis: (d, h) leading principal axes, in columns; h may be 0.
        depths: after how many axes a search may stop, ascending; the last is h.
        profile: (depths + 1, grid) float32. Row i: the squared distance along the first depths[i] axes below which
            the share `shares()[j]` of pairs lies; the last row is of the whole distance.
    """

    centre: NDArray[np.float64]
    basis: NDArray[np.float64]
    depths: tuple[int, ...]
    profile: NDArray[np.float32]


def shares() -> NDArray[np.float64]:
    """The shares of pairs that a profile's columns stand for, 1e-5 to 1."""
    return np.geomspace(_LEAST_SHARE, 1.0, _GRID)


def fit(vectors: NDArray[np.float32], least: int) -> Axes:
    """Principal axes of the templates (n, d), as many as pay; none below `least` templates."""
    dimension = vectors.shape[1]
    none = Axes(np.zeros(dimension), np.zeros((dimension, 0)), (), np.zeros((1, _GRID), np.float32))
    if len(vectors) < least:
        return none
    sample = vectors[:: -(-len(vectors) // _SAMPLE)].astype(np.float64)
    centre, basis = principal(sample)
    known = [depth for depth in _DEPTHS if depth <= dimension // 2]
    table = _profile((sample - centre) @ basis, known)
    depths = _worthy(table, known, dimension)
    kept = [known.index(depth) for depth in depths] + [len(known)]
    return Axes(centre, np.ascontiguousarray(basis[:, : depths[-1] if depths else 0]), depths, table[kept])


def principal(vectors: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,) of some vectors (n, d), n at least 2, and all their principal axes (d, d) in columns, largest first."""
    sample, dimension = vectors[:: -(-len(vectors) // _SAMPLE)].astype(np.float64), vectors.shape[1]
    centre = sample.mean(axis=0)
    _, columns = np.linalg.eigh(np.cov((sample - centre).T).reshape(dimension, dimension))
    basis = np.ascontiguousarray(columns[:, ::-1])
    _require_orthonormal(basis)
    return centre, basis


def _require_orthonormal(basis: NDArray[np.float64]) -> None:
    if np.linalg.norm(basis.T @ basis - np.eye(basis.shape[1])) > AXES_DEFECT / 2:
        raise PermanentError("the principal axes are not orthonormal: this machine's linear algebra cannot be trusted")


def _profile(rotated: NDArray[np.float64], depths: Sequence[int]) -> NDArray[np.float32]:
    """Squared distances of gallery pairs along ever more axes, at the shares of `shares`."""
    probes, templates = rotated[:: -(-len(rotated) // _PROBES)], rotated[1 :: -(-len(rotated) // _TEMPLATES)]
    squares, at, rows = np.zeros((len(probes), len(templates))), 0, []
    for depth in (*depths, rotated.shape[1]):
        a, b = probes[:, at:depth], templates[:, at:depth]
        squares += (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        rows.append(np.quantile(squares, shares()))
        at = depth
    return np.maximum(rows, 0).astype(np.float32)


def _worthy(table: NDArray[np.float32], depths: Sequence[int], dimension: int) -> tuple[int, ...]:
    """The depths that are the cheapest for some threshold, single or in batches."""
    typical = float(np.sqrt(np.interp(0.5, shares(), table[-1])))
    chosen = set()
    for within in (part * typical for part in _CLOSE):
        for batch in _BATCHES:
            best = cheapest(table, depths, dimension, within, batch)
            if best is not None:
                chosen.add(depths[best])
    return tuple(sorted(chosen))


def cheapest(
    table: NDArray[np.float32], depths: Sequence[int], dimension: int, within: float, batch: int
) -> int | None:
    """Which of the depths costs least a template for a threshold and a batch; None: reading the whole vectors does."""
    number, compare, survivor = costs(batch)
    passing = [share_below(row, within) for row in table]
    told = [(depth + level + 1) * number + compare + passing[level] * survivor for level, depth in enumerate(depths)]
    dense = (dimension + 1) * number + compare + passing[-1] * survivor
    best = int(np.argmin(told)) if told else 0
    return best if told and told[best] < dense else None


def costs(batch: int) -> tuple[float, float, float]:
    """Nanoseconds a probe of one number of a template, of its comparison and of a survivor.

    A single probe reads caches or memory. A batch is packed by BLAS once for all its probes, then computed. Measured on
    Zen 4 (docs/decisions/matching-gallery-steps.md); only their ratios count.
    """
    return (0.1, 0.0, 90.0) if batch < LEAST_BATCH else (0.45 / batch + 0.025, 0.1, 100.0)


def share_below(row: NDArray[np.float32], within: float) -> float:
    """The share of pairs within a distance, by one row of a profile."""
    return float(np.interp(within * within, row, shares(), left=_LEAST_SHARE / 2))
