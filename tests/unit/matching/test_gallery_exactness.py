"""The bound under the gallery: no template at the threshold is ever dropped, whatever path a search takes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.matching import Gallery, TemplateTable, cosine_distance_limit
from gateway.matching.gallery_axes import cheapest, fit
from gateway.matching.gallery_bound import score_limit
from gateway.matching.gallery_filling import LEAST_PRUNED, put_vectors

DIMENSION = 24


def spread_out(rng: np.random.Generator, count: int, dimension: int, offset: float = 0.0) -> NDArray[np.float32]:
    """Vectors whose variance falls off along hidden axes, as that of faces does."""
    axes = np.linalg.qr(rng.standard_normal((dimension, dimension)))[0]
    values = rng.standard_normal((count, dimension)) * 0.7 ** np.arange(dimension)
    single: NDArray[np.float32] = (values @ axes.T + offset).astype(np.float32)
    return single


def gallery_of(vectors: NDArray[np.float32], *, threads: int = 1) -> Gallery:
    ids = [str(number) for number in range(len(vectors))]
    gallery = Gallery.build(TemplateTable(vectors, ids, ids), fingerprint="net", dimension=vectors.shape[1])
    gallery.use_threads(threads)
    return gallery


def exact_distances(vectors: NDArray[np.float32], probe: NDArray[np.float32]) -> NDArray[np.float64]:
    differences = vectors.astype(np.float64) - probe
    squares: NDArray[np.float64] = np.einsum("nd,nd->n", differences, differences)
    return np.sqrt(squares)


def assert_exact(gallery: Gallery, vectors: NDArray[np.float32], probes: NDArray[np.float32], within: float) -> None:
    for probe, (rows, distances) in zip(probes, gallery.templates_within(probes, within), strict=True):
        exact = exact_distances(vectors, probe)
        assert rows.tolist() == np.flatnonzero(exact <= within).tolist()
        np.testing.assert_allclose(distances, exact[rows], rtol=0, atol=1e-9)


def depths_to_try(gallery: Gallery) -> list[int | None]:
    return [*range(len(gallery._arrays.shape.depths)), None]


@given(
    seed=st.integers(0, 2**32 - 1),
    terms=st.integers(1, 300),
    scale=st.sampled_from([1e-20, 1e-6, 1.0, 1e5]),
    offset=st.sampled_from([0.0, 1.0, 1000.0]),
)
@settings(max_examples=200, deadline=None)
def test_a_score_at_the_threshold_never_falls_below_the_limit(
    seed: int, terms: int, scale: float, offset: float
) -> None:
    """The distance is the exact one of the pair itself: there is no nearer miss."""
    rng = np.random.default_rng(seed)
    pairs = ((rng.standard_normal((16, 2, terms)) + offset) * scale).astype(np.float32)
    for template, probe in pairs:
        half = np.float32(0.5 * math.fsum(float(x) ** 2 for x in template))
        score = template @ probe - half
        square = math.fsum(float(x) ** 2 for x in probe)
        longest = math.sqrt(math.fsum(float(x) ** 2 for x in template))
        limit = score_limit(math.dist(template, probe), square, terms=terms + 1, longest=longest)
        assert score >= np.float32(limit)


@given(seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0.0, 0.3, 30.0]))
@settings(max_examples=5, deadline=None)
def test_pairs_at_the_threshold_are_found_by_every_depth(seed: int, offset: float) -> None:
    """Templates on spheres around the probes, the threshold exactly their distance; also along leading axes."""
    rng = np.random.default_rng(seed)
    vectors = spread_out(rng, LEAST_PRUNED + 50, DIMENSION, offset)
    probes = spread_out(rng, 5, DIMENSION, offset)
    axes = fit(vectors, 1)
    for number, probe in enumerate(probes):
        ways = rng.standard_normal((40, DIMENSION))
        ways[::2] = (
            rng.standard_normal((20, axes.basis.shape[1])) @ axes.basis.T
        )  # the head's distance is the whole one
        ways *= 0.4 / np.linalg.norm(ways, axis=1, keepdims=True)
        vectors[number * 50 : number * 50 + 40] = probe + ways
    gallery = gallery_of(vectors)
    assert gallery._arrays.shape.depths
    for depth in depths_to_try(gallery):
        for probe in probes:
            edges = exact_distances(vectors, probe)
            for within in np.sort(edges)[:40:7].tolist():
                gallery._search._levels.update({(within, 1): depth, (within, 4): depth})
                assert_exact(gallery, vectors, probe[None], within)
                assert_exact(gallery, vectors, np.vstack([probe[None]] * 4), within)


@pytest.mark.parametrize("count", [1, 100, LEAST_PRUNED - 1, LEAST_PRUNED, 9_000])
@pytest.mark.parametrize("batch", [1, 3, 8, 70])
def test_any_size_and_batch_agrees_with_brute_force(count: int, batch: int) -> None:
    rng = np.random.default_rng(count + batch)
    vectors = spread_out(rng, count, 32)
    probes = spread_out(rng, batch, 32)
    gallery = gallery_of(vectors)
    for within in (0.0, 0.3, 0.8, 3.0):
        assert_exact(gallery, vectors, probes, within)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.matching.gallery_search._POOLED_ROWS", 1_000)
    rng = np.random.default_rng(3)
    vectors, probes = spread_out(rng, 40_000, 32), spread_out(rng, 16, 32)
    for threads in (1, 2, 3):
        assert_exact(gallery_of(vectors, threads=threads), vectors, probes, 0.5)


def test_the_nearest_k_are_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many are near, a smaller radius is found first; it must not lose one."""
    rng = np.random.default_rng(4)
    vectors, probes = spread_out(rng, 30_000, 32), spread_out(rng, 9, 32)
    gallery = gallery_of(vectors)
    assert gallery._crowded(1.2, 3)
    few = gallery.identify(probes, 1.2, 3)
    assert few == tuple(answer[:3] for answer in gallery.identify(probes, 1.2, 30_000))


def test_cosine_galleries_of_512_components_are_exact() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((6_000, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    probes = (vectors[:6] + 0.04 * rng.standard_normal((6, 512))).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    within = cosine_distance_limit(0.4)
    assert_exact(gallery_of(vectors), vectors, probes, within)
    (found,) = gallery_of(vectors).identify(probes[:1], within, 1)
    assert float(vectors[0] @ probes[0]) == pytest.approx(1 - found[0].distance ** 2 / 2, abs=1e-6)


def test_a_stale_basis_costs_speed_and_no_match() -> None:
    rng = np.random.default_rng(6)
    old, new = spread_out(rng, 6_000, 32), spread_out(rng, 6_000, 32)
    gallery = gallery_of(old)
    gallery._arrays.vectors[:] = new
    put_vectors(gallery._arrays, 0, new)
    assert_exact(Gallery(gallery._arrays, gallery._extent), new, spread_out(rng, 5, 32), 0.7)


def test_one_person_with_ten_thousand_templates_is_one_candidate() -> None:
    rng = np.random.default_rng(7)
    vectors = spread_out(rng, 10_000, 32)
    ids = [str(number) for number in range(10_000)]
    gallery = Gallery.build(TemplateTable(vectors, ["p"] * 10_000, ids), fingerprint="net", dimension=32)
    (found,) = gallery.identify(vectors[77:78], 9.0, 5)
    assert [(each.person, each.template, each.distance) for each in found] == [("p", "77", 0.0)]


def test_ten_thousand_duplicates_keep_their_order() -> None:
    gallery = gallery_of(np.ones((10_000, 32), np.float32))
    (found,) = gallery.identify(np.ones((1, 32)), 0.0, 3)
    assert [each.template for each in found] == ["0", "1", "2"]


def test_where_nothing_prunes_whole_vectors_are_compared() -> None:
    rng = np.random.default_rng(8)
    alike = rng.standard_normal((5_000, 64)).astype(np.float32)
    axes = fit(alike, 1)
    assert cheapest(axes.profile, axes.depths, 64, 11.0, batch=1) is None
    faces = spread_out(rng, 5_000, 64)
    assert 0 < fit(faces, 1).depths[-1] <= 32
