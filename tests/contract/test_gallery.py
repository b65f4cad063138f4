"""What every gallery answers: the core, built here, mapped from shared memory or written live, and that over FAISS."""

import math
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gateway.matching import (
    Candidate,
    CompactGallery,
    FaceGallery,
    FaissGallery,
    Gallery,
    GalleryError,
    GalleryWriter,
    TemplateRow,
    margin,
)

Rows = list[TemplateRow]
Make = Callable[[Rows, int], FaceGallery]


def built(rows: Rows, dimension: int) -> Gallery:
    return Gallery.build(rows, fingerprint="net-1", dimension=dimension, revision=7)


def mapped(rows: Rows, dimension: int) -> Gallery:
    return Gallery.map(memoryview(built(rows, dimension).pack() + b"more room"))


def written(rows: Rows, dimension: int) -> Gallery:
    """The first half at once, the rest one by one, and a person in between who was removed again."""
    half = len(rows) // 2
    writer = GalleryWriter(rows[:half], fingerprint="net-1", dimension=dimension)
    writer.add([TemplateRow("gone", "gone", np.ones(dimension, np.float32))])
    for each in rows[half:]:
        writer.add([each])
    writer.remove_person("gone")
    writer.publish(7)
    return writer.view


def over_faiss(rows: Rows, dimension: int) -> FaceGallery:
    return FaissGallery(rows, fingerprint="net-1", dimension=dimension, revision=7)


def compact(rows: Rows, dimension: int) -> FaceGallery:
    return CompactGallery(
        rows, fingerprint="net-1", dimension=dimension, folder=Path(tempfile.gettempdir()), revision=7
    )


IMPLEMENTATIONS: dict[str, Make] = {
    "built": built,
    "mapped": mapped,
    "written": written,
    "compact": compact,
    "faiss": over_faiss,
}


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "faiss":
        pytest.importorskip("faiss", reason="the extra [faiss] is not installed")
    return IMPLEMENTATIONS[request.param]


def row(person: str, template: str, *values: float) -> TemplateRow:
    return TemplateRow(person, template, np.array(values, np.float32))


def rows_of(vectors: NDArray[np.float32], per_person: int = 2) -> Rows:
    return [TemplateRow(f"p{i // per_person}", f"t{i}", vector) for i, vector in enumerate(vectors)]


def brute_force(rows: Rows, probe: NDArray[np.float32], within: float, k: int) -> list[Candidate]:
    """Every distance in float64, one by one."""
    best: dict[str, Candidate] = {}
    for entry in rows:
        distance = math.dist(entry.vector.astype(np.float64), probe.astype(np.float64))
        if distance <= within and (entry.person not in best or distance < best[entry.person].distance):
            best[entry.person] = Candidate(entry.person, entry.template, distance)
    return sorted(best.values(), key=lambda candidate: candidate.distance)[:k]


def assert_same(found: tuple[Candidate, ...], wanted: list[Candidate]) -> None:
    assert [c.distance for c in found] == pytest.approx([c.distance for c in wanted], abs=1e-12, rel=1e-12)
    distances = [c.distance for c in wanted]
    for index, (a, b) in enumerate(zip(found, wanted, strict=True)):
        tied = any(abs(b.distance - d) < 1e-12 for j, d in enumerate(distances) if j != index)
        assert tied or a.person == b.person


@given(
    data=st.data(),
    count=st.integers(0, 40),
    dimension=st.integers(1, 24),
    scale=st.sampled_from([1e-12, 1e-3, 1.0, 50.0, 1e4]),
)
@settings(max_examples=70, deadline=None)
def test_the_answer_is_that_of_a_float64_brute_force(
    data: st.DataObject, count: int, dimension: int, scale: float
) -> None:
    numbers = st.floats(-1, 1, width=32).map(lambda x: float(np.float32(x * scale)))
    vectors = data.draw(hnp.arrays(np.float32, (count, dimension), elements=numbers))
    probes = data.draw(hnp.arrays(np.float32, (3, dimension), elements=numbers))
    vectors[~vectors.any(axis=1)] = np.float32(scale)
    probes[~probes.any(axis=1)] = np.float32(scale)
    within = data.draw(st.floats(0, 4 * scale))
    k = data.draw(st.integers(1, 5))
    rows = rows_of(vectors)
    distances = [math.dist(r.vector.astype(float), p.astype(float)) for r in rows for p in probes]
    if any(abs(d - within) <= 1e-9 * scale for d in distances):
        return  # on the edge itself a rounding of the reference decides
    for make in (built, mapped, written, compact, *([over_faiss] if find_spec("faiss") else [])):
        answers = make(rows, dimension).identify(probes, within, k)
        for probe, answer in zip(probes, answers, strict=True):
            assert_same(answer, brute_force(rows, probe, within, k))


def test_a_large_gallery_with_mates_near_the_edge_is_exact() -> None:
    rng = np.random.default_rng(8)
    vectors = rng.normal(0, 0.13, (20_000, 128)).astype(np.float32)
    probes = vectors[rng.integers(0, len(vectors), 70)] + rng.normal(0, 0.053, (70, 128)).astype(np.float32)
    gallery = built(rows_of(vectors, 3), 128)
    answers = gallery.identify(probes, 0.6, 1_000)
    for probe, answer in zip(probes, answers, strict=True):
        exact = np.linalg.norm(vectors.astype(np.float64) - probe, axis=1)
        people = {int(i) // 3 for i in np.flatnonzero(exact <= 0.6)}
        assert {c.person for c in answer} == {f"p{i}" for i in people}


@pytest.mark.parametrize("offset", [1.0, 1000.0])
def test_no_match_is_lost_to_single_precision_at_the_edge(offset: float) -> None:
    """Distances that differ from the limit by less than float32 can tell."""
    rng = np.random.default_rng(2)
    base = rng.normal(offset, 0.1, 128).astype(np.float32)
    steps = rng.normal(0, 1, (400, 128))
    steps *= 0.6 / np.linalg.norm(steps, axis=1, keepdims=True)
    vectors = (base + steps).astype(np.float32)
    exact = np.linalg.norm(vectors.astype(np.float64) - base, axis=1)
    gallery = built(rows_of(vectors, 1), 128)
    for within in np.sort(exact)[::37]:
        found = gallery.identify(base[None], float(np.nextafter(within, 1)), 1_000)[0]
        assert len(found) == int((exact <= np.nextafter(within, 1)).sum())


def test_a_person_appears_once_by_the_nearest_template(make: Make) -> None:
    gallery = make([row("a", "a1", 3, 0), row("b", "b1", 2, 0), row("a", "a2", 1, 0)], 2)
    (found,) = gallery.identify(np.array([[1, 0.0]], np.float32), 5.0, 5)
    assert found == (Candidate("a", "a2", 0.0), Candidate("b", "b1", 1.0))


def test_the_edge_is_inclusive_and_k_limits(make: Make) -> None:
    gallery = make([row("a", "a1", 1, 0), row("b", "b1", 2, 0), row("c", "c1", 3, 0)], 2)
    probe = np.array([[4, 0.0]], np.float32)
    assert [c.person for c in gallery.identify(probe, 2.0, 9)[0]] == ["c", "b"]
    assert [c.person for c in gallery.identify(probe, 2.0, 1)[0]] == ["c"]
    assert len(gallery.identify(probe, math.inf, 10**9)[0]) == 3
    assert gallery.identify(probe, 0.0, 3) == ((),)


def test_equal_distances_keep_the_order_of_the_rows(make: Make) -> None:
    gallery = make([row(p, f"{p}1", 1, 0) for p in "cab"], 2)
    (found,) = gallery.identify(np.array([[1, 1.0]], np.float32), 2.0, 2)
    assert [c.person for c in found] == ["c", "a"]


def test_an_empty_gallery_knows_nobody(make: Make) -> None:
    gallery = make([], 128)
    assert (len(gallery), gallery.persons, gallery.dimension) == (0, 0, 128)
    assert gallery.identify(np.ones((2, 128), np.float32), 9.0, 3) == ((), ())


def test_no_probes_have_no_answers(make: Make) -> None:
    assert make([row("a", "a1", 1, 0)], 2).identify(np.empty((0, 2), np.float32), 1.0, 1) == ()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((math.nan, 1), "NaN"),
        ((math.inf, 1), "NaN or infinity"),
        ((0, 0), "all zeros"),
        ((3e6, 1), "over 1e"),
        ((1, 2, 3), "shape"),
    ],
)
def test_vectors_that_are_no_faces_are_refused(make: Make, values: tuple[float, ...], says: str) -> None:
    with pytest.raises(GalleryError, match=says):
        make([row("a", "a1", 1, 0), row("b", "bad-one", *values)], 2)
    with pytest.raises(GalleryError, match=says):
        make([row("a", "a1", 1, 0)], 2).identify(np.array([values], np.float32), 1.0, 1)


def test_a_refused_template_is_named() -> None:
    with pytest.raises(GalleryError, match="template t-9"):
        built([row("a", "t-9", math.nan, 1)], 2)


@pytest.mark.parametrize("probes", [np.ones(2, np.float32), np.ones((1, 1, 2), np.float32), [["x", "y"]], [[1j, 2j]]])
def test_probes_of_another_kind_are_refused(make: Make, probes: object) -> None:
    with pytest.raises(GalleryError, match="shape"):
        make([row("a", "a1", 1, 0)], 2).identify(probes, 1.0, 1)  # type: ignore[arg-type] # the wrong kind is the point


@pytest.mark.parametrize(("within", "k"), [(math.nan, 1), (-0.1, 1), (1.0, 0), (1.0, -3)])
def test_senseless_questions_are_refused(make: Make, within: float, k: int) -> None:
    with pytest.raises(GalleryError):
        make([row("a", "a1", 1, 0)], 2).identify(np.ones((1, 2), np.float32), within, k)


def test_a_template_twice_is_refused(make: Make) -> None:
    with pytest.raises(GalleryError, match="template t1: is there twice"):
        make([row("a", "t1", 1, 0), row("b", "t1", 0, 1)], 2)


def test_the_same_vector_twice_is_allowed(make: Make) -> None:
    gallery = make([row("a", "t1", 1, 0), row("a", "t2", 1, 0), row("b", "t3", 1, 0)], 2)
    (found,) = gallery.identify(np.array([[1, 0.5]], np.float32), 1.0, 9)
    assert [(c.person, c.template) for c in found] == [("a", "t1"), ("b", "t3")]


def test_another_embedder_is_refused(make: Make) -> None:
    gallery = make([row("a", "a1", 1, 0)], 2)
    gallery.require("net-1")
    with pytest.raises(GalleryError, match="reembed"):
        gallery.require("net-2")


def test_what_a_gallery_is_survives_the_mapping(make: Make) -> None:
    gallery = make([row("张三", "模板-1", 1, 0), row("", "", 0, 1)], 2)
    assert (gallery.fingerprint, gallery.revision, gallery.persons, len(gallery)) == ("net-1", 7, 2, 2)
    found = gallery.identify(np.eye(2, dtype=np.float32), 0.1, 1)
    assert [(c[0].person, c[0].template) for c in found] == [("张三", "模板-1"), ("", "")]
    if isinstance(gallery, Gallery):
        assert gallery.pack() == Gallery.map(memoryview(gallery.pack())).pack()


def test_the_margin_is_the_distance_between_the_first_two() -> None:
    a, b = Candidate("a", "a1", 0.25), Candidate("b", "b1", 0.75)
    assert margin((a, b)) == 0.5
    assert margin((a,)) == math.inf
    assert margin(()) == 0


def test_mapping_shared_memory_copies_no_vector_and_lets_it_go() -> None:
    packed = built(rows_of(np.eye(64, dtype=np.float32)), 64).pack()
    memory = SharedMemory(create=True, size=len(packed))
    assert memory.buf is not None
    try:
        memory.buf[: len(packed)] = packed
        gallery = Gallery.map(memory.buf)
        assert not gallery._arrays.vectors.flags.owndata
        assert not gallery._arrays.vectors.flags.writeable
        assert gallery.identify(np.eye(64, dtype=np.float32)[:1], 0.1, 1)[0][0].person == "p0"
        del gallery
    finally:
        memory.close()
        memory.unlink()


def test_bytes_that_are_no_gallery_are_refused() -> None:
    packed = built(rows_of(np.eye(3, dtype=np.float32)), 3).pack()
    for bad, says in [
        (b"", "no gallery"),
        (b"\0" * 4096, "no gallery"),
        (packed[:40], "no gallery"),
        (packed[:-1], "cut short"),
        (packed[:8] + b"\x09" + packed[9:], "layout 9"),
    ]:
        with pytest.raises(GalleryError, match=says):
            Gallery.map(memoryview(bad))


def test_any_damaged_byte_is_noticed() -> None:
    packed = built(rows_of(np.eye(3, dtype=np.float32)), 3).pack()
    for place in range(len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 0x10
        with pytest.raises(GalleryError):
            Gallery.map(memoryview(bytes(damaged)))
