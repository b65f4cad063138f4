"""Makes galleries and probes with the geometry of real dlib vectors, from a seed; no face is in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Measured on 99 public photographs (128-D): share of the variance in the first axes, by cross-validation.
SHARES = {8: 0.62, 16: 0.77, 24: 0.84, 32: 0.87, 64: 0.97, 128: 1.0}
NORM = 1.48
_DIFFERENT, _SAME = (0.888, 0.081), (0.364, 0.068)
# How far a vector moves when the face is 80 or 48 px high in a JPEG.
_CAMERA_MOVES = (0.165, 0.331)
# Of the first eight variances: gives the share of strangers below 0.6 (1.1 %; 0.9 to 1.6 % measured), and of pairs that
# 16 axes learned from 50 faces let through at 0.5 (8.6 %; 6.6 to 9.0 %) and 0.6 (26 %; 25 to 29 %).
_DECAY = 0.8
_CHUNK = 100_000


@dataclass(frozen=True)
class Scene:
    """Templates (n, 128) with the number of each one's person, and probes (m, 128); float32."""

    templates: NDArray[np.float32]
    owners: NDArray[np.int32]
    probes: NDArray[np.float32]


def eigenvalues() -> NDArray[np.float64]:
    """Variances along the principal axes (128,), largest first; they sum up to half the mean square distance."""
    values, at, share = np.zeros(128), 0, 0.0
    for upto, cumulative in SHARES.items():
        values[at:upto] = (cumulative - share) / (upto - at)
        at, share = upto, cumulative
    decay = _DECAY ** np.arange(8)
    values[:8] = SHARES[8] * decay / decay.sum()
    return values * (_DIFFERENT[0] ** 2 + _DIFFERENT[1] ** 2) / 2


def make(count: int, probes: int, seed: int = 1) -> Scene:
    """A list of `count` templates, 1 to 5 a person, and probes: 5 % listed people through a camera, the rest unknown.

    People and the looks of one person differ along the same axes; mean distances of different and of same people are
    those measured, 0.89 and 0.36.
    """
    rng = np.random.default_rng(seed)
    spread = np.sqrt(eigenvalues())
    axes = np.linalg.qr(rng.standard_normal((128, 128)))[0]
    centre = rng.standard_normal(128)
    centre *= np.sqrt(NORM**2 - (spread**2).sum()) / np.linalg.norm(centre)
    within = np.sqrt((_SAME[0] ** 2 + _SAME[1] ** 2) / (_DIFFERENT[0] ** 2 + _DIFFERENT[1] ** 2))
    between = np.sqrt(1 - within**2)
    sizes = rng.integers(1, 6, count)
    owners = np.repeat(np.arange(count, dtype=np.int32), sizes)[:count]
    people = (rng.standard_normal((int(owners[-1]) + 1, 128), np.float32) * (between * spread)).astype(np.float32)
    templates = np.empty((count, 128), np.float32)
    for start in range(0, count, _CHUNK):
        part = slice(start, min(start + _CHUNK, count))
        looks = rng.standard_normal((part.stop - start, 128), np.float32) * (within * spread)
        templates[part] = (people[owners[part]] + looks) @ axes.T + centre
    faces = rng.standard_normal((probes, 128)) * (between * spread)
    mates = rng.random(probes) < 0.05
    faces[mates] = people[rng.integers(0, len(people), int(mates.sum()))]
    faces += rng.standard_normal((probes, 128)) * (within * spread)
    camera = rng.standard_normal((probes, 128)) * spread
    moves = rng.choice(_CAMERA_MOVES, (probes, 1))
    faces[mates] += (camera * moves / np.linalg.norm(camera, axis=1, keepdims=True))[mates]
    return Scene(templates, owners, (faces @ axes.T + centre).astype(np.float32))
