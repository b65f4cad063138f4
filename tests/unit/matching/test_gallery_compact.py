"""The gallery in little memory: exact at its own threshold, small, and sealed on the disk."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import CompactGallery, Gallery, TemplateTable
from gateway.sealing import SealError


def faces(count: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Vectors whose variance falls off along hidden axes."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((dimension, dimension)))[0]
    single: NDArray[np.float32] = (
        (rng.standard_normal((count, dimension)) * 0.9 ** np.arange(dimension) * 0.3) @ axes.T + 0.1
    ).astype(np.float32)
    return single


def table(vectors: NDArray[np.float32]) -> TemplateTable:
    persons = [f"p{number // 2}" for number in range(len(vectors))]
    return TemplateTable(vectors, persons, [f"t{number}" for number in range(len(vectors))])


def compact(folder: Path, vectors: NDArray[np.float32]) -> CompactGallery:
    return CompactGallery(table(vectors), fingerprint="net", dimension=vectors.shape[1], folder=folder)


@pytest.mark.parametrize(("count", "dimension"), [(300, 128), (6_000, 128), (4_100, 512)])
@pytest.mark.parametrize("k", [1, 10_000])
def test_it_answers_as_the_core_does(tmp_path: Path, count: int, dimension: int, k: int) -> None:
    vectors, probes = faces(count, dimension, 2), faces(6, dimension, 3)
    small = compact(tmp_path, vectors)
    core = Gallery.build(table(vectors), fingerprint="net", dimension=dimension)
    for within in (0.0, 0.5, 0.7, float(np.linalg.norm(vectors[9].astype(np.float64) - probes[0]))):
        found, wanted = small.identify(probes, within, k), core.identify(probes, within, k)
        assert [[(c.person, c.template) for c in each] for each in found] == [
            [(c.person, c.template) for c in each] for each in wanted
        ]
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose([c.distance for c in a], [c.distance for c in b], rtol=0, atol=1e-9)


def test_a_template_takes_at_most_180_bytes_of_memory(tmp_path: Path) -> None:
    gallery = compact(tmp_path, faces(6_000, 128, 2))
    assert gallery.memory_bytes / 6_000 <= 180
    assert gallery.file_bytes / 6_000 >= 4 * 128


def test_nothing_is_on_the_disk_in_the_clear_nor_by_name(tmp_path: Path) -> None:
    vectors = faces(100, 128, 2)
    gallery = compact(tmp_path, vectors)
    assert list(tmp_path.iterdir()) == []
    descriptor = gallery._originals._file
    content = os.pread(descriptor, gallery.file_bytes, 0)
    assert len(content) == gallery.file_bytes
    assert all(vector.tobytes()[:16] not in content for vector in vectors)
    del gallery
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    vectors = faces(100, 128, 2)
    gallery = compact(tmp_path, vectors)
    os.pwrite(gallery._originals._file, b"\0" * 64, 100)
    with pytest.raises(SealError):
        gallery.identify(vectors[:1], 0.1, 1)
