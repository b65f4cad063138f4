"""What the gallery is compared with: other exact searches over the same vectors, and one approximate index."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ask = Callable[[NDArray[np.float32]], Any]
_TOP = 10
_LIST_ROWS, _ARRAY_ROWS, _PLAIN_ROWS, _HNSW_ROWS = 10_000, 100_000, 1_000_000, 1_000_000


@dataclass(frozen=True)
class Rival:
    """A way to answer probes (b, d) within a threshold, or nearest first; `ask` takes the probes.

    Attributes:
        slow: so much slower that fewer probes tell enough.
    """

    name: str
    ask: Ask
    slow: bool = False


def missing() -> list[str]:
    """The rivals that are not installed here."""
    names = ("faiss", "usearch", "simsimd", "numkong", "hnswlib", "face_recognition")
    found = [name for name in names if not _importable(name)]
    # Both loaded, simsimd 6.5 takes float32 for another type; numkong is its successor by the same author.
    return [*found, "simsimd (not beside usearch)"] if _importable("usearch") and _importable("simsimd") else found


def _importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def rivals(vectors: NDArray[np.float32], within: float, batch: int, *, all_of_them: bool) -> list[Rival]:
    """The rivals that can be asked in reasonable time for a gallery of this size."""
    found = [_gemv(vectors, within)]
    if _importable("faiss"):
        found += _faiss(vectors, batch, within, panorama=all_of_them)
    if batch > 1 or not all_of_them:
        return found
    if len(vectors) <= _ARRAY_ROWS and _importable("face_recognition"):
        found += _face_recognition(vectors)
    if len(vectors) <= _PLAIN_ROWS:
        plain = [name for name in _PLAIN if name != "simsimd" or not _importable("usearch")]
        found += [_PLAIN[name](vectors) for name in plain if _importable(name)]
    return found


def _gemv(vectors: NDArray[np.float32], within: float) -> Rival:
    halves = 0.5 * np.einsum("nd,nd->n", vectors, vectors)

    def ask(probes: NDArray[np.float32]) -> list[NDArray[np.intp]]:
        limits = 0.5 * (np.einsum("bd,bd->b", probes, probes) - within**2)
        found = []
        for start in range(0, len(vectors), 16_384):
            scores = probes @ vectors[start : start + 16_384].T - halves[start : start + 16_384]
            found.append(np.flatnonzero(scores >= limits[:, None]))
        return found

    return Rival("GEMV", ask)


def _faiss(vectors: NDArray[np.float32], batch: int, within: float, *, panorama: bool) -> list[Rival]:
    faiss = importlib.import_module("faiss")
    faiss.omp_set_num_threads(1)
    shipped = _shipped_threshold()
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)

    def asked(threshold: int) -> Ask:
        def ask(probes: NDArray[np.float32]) -> Any:
            faiss.cvar.distance_compute_blas_threshold = threshold
            return index.search(probes, _TOP)

        return ask

    found = [Rival("FAISS flat, tuned", asked(1 if batch > 1 else 128_000))]
    if batch > 1:
        found.append(Rival("FAISS flat, as shipped", asked(shipped)))
    if panorama and batch == 1 and hasattr(faiss, "IndexFlatL2Panorama"):
        pruned = faiss.IndexPreTransform(
            faiss.PCAMatrix(vectors.shape[1], vectors.shape[1]), faiss.IndexFlatL2Panorama(vectors.shape[1], 8)
        )
        pruned.train(vectors[:20_000])
        pruned.add(vectors)
        found.append(Rival("FAISS Panorama range", lambda probes: pruned.range_search(probes, within**2)))
    return found


@cache
def _shipped_threshold() -> int:
    """From how many probes on FAISS uses BLAS by itself; read once, before the first question sets it."""
    return int(importlib.import_module("faiss").cvar.distance_compute_blas_threshold)


def _face_recognition(vectors: NDArray[np.float32]) -> list[Rival]:
    face_distance = importlib.import_module("face_recognition").face_distance
    double = vectors.astype(np.float64)
    found = [Rival("face_distance array", lambda probes: face_distance(double, probes[0]), slow=True)]
    if len(vectors) <= _LIST_ROWS:
        listed = list(double)
        found.append(Rival("face_distance list", lambda probes: face_distance(listed, probes[0]), slow=True))
    return found


def _simsimd(vectors: NDArray[np.float32]) -> Rival:
    simsimd = importlib.import_module("simsimd")
    return Rival("simsimd", lambda probes: np.asarray(simsimd.cdist(probes, vectors, metric="sqeuclidean")), slow=True)


def _numkong(vectors: NDArray[np.float32]) -> Rival:
    numkong = importlib.import_module("numkong")
    return Rival("numkong", lambda probes: np.asarray(numkong.cdist(probes, vectors, metric="sqeuclidean")), slow=True)


def _usearch(vectors: NDArray[np.float32]) -> Rival:
    index = importlib.import_module("usearch.index")
    return Rival(
        "usearch exact",
        lambda probes: index.search(vectors, probes, _TOP, index.MetricKind.L2sq, exact=True, threads=1),
        slow=True,
    )


_PLAIN: dict[str, Callable[[NDArray[np.float32]], Rival]] = {
    "simsimd": _simsimd,
    "numkong": _numkong,
    "usearch": _usearch,
}


@dataclass(frozen=True)
class Approximate:
    """An hnswlib index: seconds of building it, and its labels of the nearest for probes."""

    build_seconds: float
    ask: Callable[[NDArray[np.float32], int], NDArray[np.uint64]]


def hnsw(vectors: NDArray[np.float32], clock: Callable[[], float]) -> Approximate | None:
    """hnswlib with M 16, efConstruction 100, one thread; None where it is missing or the gallery too large for it."""
    if not _importable("hnswlib") or len(vectors) > _HNSW_ROWS:
        return None
    index = importlib.import_module("hnswlib").Index("l2", vectors.shape[1])
    began = clock()
    index.init_index(len(vectors), M=16, ef_construction=100, random_seed=1)
    index.set_num_threads(1)
    index.add_items(vectors)
    built = clock() - began

    def ask(probes: NDArray[np.float32], effort: int) -> NDArray[np.uint64]:
        index.set_ef(max(effort, _TOP))
        labels: NDArray[np.uint64] = index.knn_query(probes, _TOP)[0]
        return labels

    return Approximate(built, ask)
