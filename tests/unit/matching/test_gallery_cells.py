"""Large galleries keep what lies together in cells: cells that are passed over never hold a match, whatever changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.matching import Gallery, GalleryWriter, TemplateRow, TemplateTable
from gateway.matching.gallery_cells import arrangement
from gateway.matching.gallery_filling import LEAST_PRUNED

DIMENSION, CELL = 24, 200
COUNT = LEAST_PRUNED + 530


@pytest.fixture(autouse=True)
def _small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells from the first pruned gallery on, of 200 templates: 328 of them are a block."""
    monkeypatch.setattr("gateway.matching.gallery_filling.LARGE", LEAST_PRUNED)
    monkeypatch.setattr("gateway.matching.gallery_filling._CELL", CELL)


def spread_out(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Vectors whose variance falls off along hidden axes, as that of faces does."""
    axes = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0]
    single: NDArray[np.float32] = (rng.standard_normal((count, DIMENSION)) * 0.7 ** np.arange(DIMENSION)) @ axes.T
    return single.astype(np.float32)


def table_of(vectors: NDArray[np.float32], first: int = 0) -> TemplateTable:
    numbers = range(first, first + len(vectors))
    return TemplateTable(vectors, [f"p{n // 3}" for n in numbers], [f"t{n}" for n in numbers])


def gallery_of(vectors: NDArray[np.float32]) -> Gallery:
    gallery = Gallery.build(table_of(vectors), fingerprint="net", dimension=DIMENSION)
    gallery.use_threads(1)
    return gallery


def assert_exact(
    gallery: Gallery, known: dict[str, NDArray[np.float32]], probes: NDArray[np.float32], within: float
) -> None:
    """The templates within the distance, by id, are those of a brute force in float64."""
    ids, vectors = list(known), np.array(list(known.values()), np.float64)
    for probe, (rows, distances) in zip(probes, gallery.templates_within(probes, within), strict=True):
        exact = np.sqrt(np.square(vectors - probe).sum(axis=1))
        wanted = {ids[at]: exact[at] for at in np.flatnonzero(exact <= within * (1 + 1e-12))}
        found = {gallery.template_at(row): distance for row, distance in zip(rows, distances, strict=True)}
        assert found == pytest.approx(wanted, abs=1e-9)
        assert rows.tolist() == sorted(rows.tolist())


def known_of(vectors: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return {f"t{number}": vector for number, vector in enumerate(vectors)}


def test_an_arrangement_names_everybody_once_and_keeps_the_order_of_equals() -> None:
    rng = np.random.default_rng(1)
    heads = rng.standard_normal((1_050, 4)).astype(np.float32).repeat(3, axis=0)
    order = arrangement(heads, 100)
    assert sorted(order.tolist()) == list(range(len(heads)))
    place = np.empty(len(heads), int)
    place[order] = np.arange(len(heads))
    assert (np.diff(place.reshape(-1, 3), axis=1) > 0).all()
    spread = [heads[order[at : at + 100]].std(axis=0).mean() for at in range(0, 3_100, 100)]
    assert max(spread) < heads.std(axis=0).mean()


def test_of_one_cell_or_none_nothing_is_moved() -> None:
    heads = np.random.default_rng(2).standard_normal((100, 3)).astype(np.float32)
    assert arrangement(heads, 100).tolist() == list(range(100))
    assert arrangement(heads[:1], 100).tolist() == [0]


@pytest.mark.parametrize("batch", [1, 3, 5, 64, 70])
def test_every_batch_agrees_with_brute_force(batch: int) -> None:
    rng = np.random.default_rng(batch)
    vectors = spread_out(rng, COUNT)
    gallery, probes = gallery_of(vectors), spread_out(rng, batch)
    for within in (0.0, 0.2, 0.5, 1.5, 9.0):
        assert_exact(gallery, known_of(vectors), probes, within)


def test_what_is_far_is_not_read() -> None:
    rng = np.random.default_rng(4)
    vectors = spread_out(rng, COUNT)
    gallery = gallery_of(vectors)
    near, all_of_it = (gallery.head_bytes(vectors[:1], within) for within in (0.2, 50.0))
    assert near < all_of_it / 2


@given(seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0.0, 0.3, 30.0]))
@settings(max_examples=15, deadline=None)
def test_a_template_at_the_threshold_is_found_though_the_whole_way_is_outside_of_its_cell(
    seed: int, offset: float
) -> None:
    """The template is its cell's outermost along the first axis, and the probe lies straight before it."""
    rng = np.random.default_rng(seed)
    gallery = gallery_of((spread_out(rng, COUNT) + offset).astype(np.float32))
    arrays = gallery._arrays
    for start in range(0, COUNT, CELL):
        row = start + int(arrays.blocks[0][1, start : start + CELL].argmax())
        probe = (arrays.vectors[row] + 0.3 * arrays.basis[:, 1]).astype(np.float32)
        difference = arrays.vectors[row : row + 1].astype(np.float64) - probe
        edge = float(np.sqrt(np.einsum("nd,nd->n", difference, difference))[0])
        for probes in (probe[None], np.vstack([probe[None]] * 4)):
            for rows, _ in gallery.templates_within(probes, edge):
                assert row in rows


def test_threads_share_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.matching.gallery_search._POOLED_ROWS", 1_000)
    rng = np.random.default_rng(5)
    vectors, probes = spread_out(rng, COUNT), spread_out(rng, 16)
    gallery = gallery_of(vectors)
    for threads in (1, 2, 3):
        gallery.use_threads(threads)
        assert_exact(gallery, known_of(vectors), probes, 0.5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_probes_that_nobody_is_near_get_their_own_empty_answers(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Also the first 64 of 72, whose answers must not be taken by those behind them."""
    monkeypatch.setattr("gateway.matching.gallery_search._POOLED_ROWS", 1_000)
    vectors = spread_out(np.random.default_rng(9), COUNT)
    gallery, far = gallery_of(vectors), np.full((64, DIMENSION), 50, np.float32)
    gallery.use_threads(threads)
    assert [len(each) for each in gallery.identify(far[:8], 0.2, 3)] == [0] * 8
    answers = gallery.identify(np.vstack([far, vectors[:8]]), 0.01, 1)
    assert [[each.template for each in answer] for answer in answers] == [[]] * 64 + [[f"t{n}"] for n in range(8)]


@pytest.mark.parametrize("scale", [1e-3, 1e-15, 1e-19, 1e-20, 1e-21])
def test_tiny_vectors_whose_squares_underflow_are_found(scale: float) -> None:
    rng = np.random.default_rng(10)
    gallery = gallery_of((spread_out(rng, COUNT) * scale).astype(np.float32))
    arrays = gallery._arrays
    for start in range(0, COUNT, CELL):
        row = start + int(arrays.blocks[0][1, start : start + CELL].argmax())
        probe = (arrays.vectors[row] + 0.3 * scale * arrays.basis[:, 1]).astype(np.float32)
        difference = arrays.vectors[row : row + 1].astype(np.float64) - probe
        edge = float(np.sqrt(np.einsum("nd,nd->n", difference, difference))[0])
        assert row in gallery.templates_within(probe[None], edge)[0][0]


def test_the_nearest_k_are_those_of_all() -> None:
    rng = np.random.default_rng(6)
    vectors, probes = spread_out(rng, COUNT), spread_out(rng, 9)
    gallery = gallery_of(vectors)
    assert gallery._crowded(1.2, 3)
    few = gallery.identify(probes, 1.2, 3)
    assert few == tuple(answer[:3] for answer in gallery.identify(probes, 1.2, COUNT))


def test_what_is_added_and_removed_later_is_heeded_in_every_cell() -> None:
    """Newcomers are far outside of the cell that they are put into; a mapped view sees them too."""
    rng = np.random.default_rng(7)
    vectors = spread_out(rng, COUNT)
    writer = GalleryWriter(table_of(vectors), fingerprint="net", dimension=DIMENSION)
    known, probes = known_of(vectors), spread_out(rng, 6)
    for number in range(COUNT, COUNT + 500):
        vector = (probes[number % 6] + 0.1 * spread_out(rng, 1)[0]).astype(np.float32)
        writer.add([TemplateRow(f"p{number // 3}", f"t{number}", vector)])
        known[f"t{number}"] = vector
    for number in range(0, COUNT, 7):
        writer.remove(f"t{number}")
        del known[f"t{number}"]
    writer.publish()
    view = writer.view
    view.use_threads(1)
    for gallery in (view, Gallery.map(memoryview(view.pack()))):
        for within in (0.3, 0.8):
            assert_exact(gallery, known, probes, within)
            for probe in probes:
                assert_exact(gallery, known, probe[None], within)
    writer.rebuild()
    assert_exact(writer.view, known, probes, 0.5)
    assert writer.rebuilt == 1


def test_ten_thousand_duplicates_keep_their_order() -> None:
    vectors = np.ones((10_000, DIMENSION), np.float32)
    vectors[::2] = spread_out(np.random.default_rng(8), 5_000)
    (found,) = gallery_of(vectors).identify(np.ones((1, DIMENSION)), 0.0, 3)
    assert [each.template for each in found] == ["t1", "t3", "t7"]


def test_a_distance_whose_square_is_more_than_a_float_finds_everybody() -> None:
    vectors = spread_out(np.random.default_rng(11), COUNT)
    ((rows, _),) = gallery_of(vectors).templates_within(vectors[:1], 1e200)
    assert len(rows) == COUNT
