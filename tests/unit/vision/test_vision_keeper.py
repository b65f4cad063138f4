"""The gallery's keeper: sealed rows to sealed memory, and nothing that was not meant to be in it."""

import fcntl
import mmap
import os
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.errors import GatewayError, PermanentError
from gateway.matching import Gallery
from gateway.sealing import SealError, new_key
from gateway.vision.gallery.keeper import BuiltGallery, GalleryKeeper
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.memory import SealedMemory, map_sealed
from gateway.vision.video.list_holder import ListHolder
from gateway.wire import GalleryRows, SealedRow

KEY = new_key()
SEALS = PersonSeals(KEY)
DIMENSION = 8


def vector(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(DIMENSION).astype("<f4")


def sealed(person: str, photo: str, plain: bytes, fingerprint: str = "model-1") -> SealedRow:
    seal = SEALS.of_new(person)
    return SealedRow(
        person=person,
        category=f"category of {person}",
        photo=photo,
        wrapped_key=seal.wrapped_key,
        template=seal.seal_template(photo, fingerprint, plain),
        fingerprint=fingerprint,
    )


def row(number: int, person: str = "") -> SealedRow:
    return sealed(person or f"p{number}", f"f{number}", vector(number).tobytes())


def keeper() -> GalleryKeeper:
    return GalleryKeeper(SEALS, "model-1", DIMENSION)


def take(keeper: GalleryKeeper, revision: int, *rows: SealedRow) -> BuiltGallery:
    built = keeper.take(GalleryRows(revision=revision, first=True, last=True, rows=rows))
    assert built is not None
    return built


def test_how_far_a_face_is_from_the_nearest_other_photo_of_its_entry() -> None:
    kept = keeper()
    assert kept.own_distance("p1", vector(1)) is None, "before the first list"
    take(kept, 1, row(1), row(2, person="p1"), row(3))
    assert kept.own_distance("p1", vector(2)) == pytest.approx(0.0)
    apart = [float(np.linalg.norm(vector(9) - vector(each))) for each in (1, 2)]
    assert kept.own_distance("p1", vector(9)) == pytest.approx(min(apart), rel=1e-6)
    assert kept.own_distance("p2", vector(9)) is None, "p2 has no photo of its own"


def test_rows_become_memory_that_another_process_can_map() -> None:
    built = take(keeper(), 7, row(1), row(2), row(3, person="p1"))
    assert (built.snapshot.people, built.snapshot.templates, built.snapshot.skipped) == (2, 3, 0)
    gallery = Gallery.map(map_sealed(os.dup(built.memory.descriptor), built.snapshot.size), checked=False)
    assert gallery.revision == 7
    assert [gallery.label_of(person) for person in ("p1", "p2", "p3", "p")] == [
        "category of p1",
        "category of p2",
        "",
        "",
    ]
    (nearest,) = gallery.identify(vector(2)[None, :], 0.1, 3)
    assert [candidate.person for candidate in nearest] == ["p2"]


def test_chunks_are_joined_and_a_newer_revision_replaces_an_unfinished_one() -> None:
    desk = keeper()
    assert desk.take(GalleryRows(revision=1, first=True, last=False, rows=(row(1),))) is None
    assert desk.take(GalleryRows(revision=2, first=True, last=False, rows=(row(2),))) is None
    assert desk.take(GalleryRows(revision=1, first=False, last=True, rows=(row(3),))) is None
    built = desk.take(GalleryRows(revision=2, first=False, last=True, rows=(row(4),)))
    assert built is not None
    assert (built.snapshot.revision, built.snapshot.templates) == (2, 2)
    assert desk.revision == 2


def changes(desk: GalleryKeeper, revision: int, *rows: SealedRow, removed: tuple[str, ...] = ()) -> BuiltGallery:
    message = GalleryRows(revision=revision, first=True, last=True, rows=rows, base=desk.revision, removed=removed)
    built = desk.take(message)
    assert built is not None
    return built


def test_changes_alone_lead_to_the_same_list_as_the_whole() -> None:
    desk = keeper()
    unusable = replace(row(3), fingerprint="model-0")
    first = take(desk, 1, row(1), row(2), unusable, row(4, person="p1"))
    second = changes(desk, 2, row(5), removed=("f1", "f2"))
    assert second.memory is first.memory
    assert (second.snapshot.revision, second.snapshot.templates, second.snapshot.people) == (2, 2, 2)
    assert (second.snapshot.skipped, changes(desk, 3, removed=("f3",)).snapshot.skipped) == (1, 0)
    assert [[each.person for each in desk.near(vector(n), 0.1)] for n in (1, 2, 4, 5)] == [[], [], ["p1"], ["p5"]]
    fourth = changes(desk, 4, sealed("p5", "f5", vector(9).tobytes()), row(3))
    assert fourth.memory is not first.memory
    assert [[each.person for each in desk.near(vector(n), 0.1)] for n in (3, 4, 5, 9)] == [["p3"], ["p1"], [], ["p5"]]
    assert changes(desk, 5).snapshot.templates == 3
    assert changes(desk, 6, replace(row(4, person="p1"), fingerprint="model-0")).snapshot.skipped == 1
    assert desk.near(vector(4), 0.1) == ()


def test_changes_of_a_list_that_is_not_shown_are_refused() -> None:
    desk = keeper()
    with pytest.raises(PermanentError, match="changes of revision 0"):
        changes(desk, 1, row(1))
    take(desk, 7, row(1))
    with pytest.raises(PermanentError, match="changes of revision 6 of the watch-list came; 7 is shown"):
        desk.take(GalleryRows(revision=8, first=True, last=True, rows=(row(2),), base=6))


def test_an_empty_list_is_a_gallery_of_nobody() -> None:
    desk = keeper()
    take(desk, 1, row(1))
    assert take(desk, 2).snapshot.templates == 0
    assert desk.near(vector(1)) == ()


def test_who_was_removed_is_near_no_more() -> None:
    desk = keeper()
    first, second = row(1), row(2)
    take(desk, 1, first, second)
    assert [each.person for each in desk.near(vector(1), 0.1)] == ["p1"]
    take(desk, 2, second)
    assert desk.near(vector(1), 0.1) == ()
    assert [each.person for each in desk.near(vector(2), 0.1)] == ["p2"]


def holder() -> ListHolder:
    embedder = Mock(fingerprint="model-1")
    return ListHolder(embedder)


def test_a_further_revision_fills_the_same_memory_and_a_child_maps_it_once() -> None:
    desk, child = keeper(), holder()
    rows = [row(number) for number in range(1, 6)]
    first = take(desk, 1, *rows[:4])
    child.apply(first.snapshot, os.dup(first.memory.descriptor))
    before = child.current
    second = take(desk, 2, *rows[1:])
    assert second.memory is first.memory
    child.apply(second.snapshot, os.dup(second.memory.descriptor))
    assert before is not None
    assert child.current is not None
    assert child.current.gallery._arrays is before.gallery._arrays
    assert (child.revision, len(child.current.gallery), child.current.gallery.persons) == (2, 4, 4)
    (found,) = child.current.gallery.identify(vector(5)[None, :], 0.1, 1)
    assert [each.person for each in found] == ["p5"]
    late = holder()
    late.apply(second.snapshot, os.dup(second.memory.descriptor))
    assert late.current is not None
    for gallery in (child.current.gallery, late.current.gallery, before.gallery):
        assert gallery.identify(vector(1)[None, :], 0.1, 1) == ((),)
    assert vector(1).tobytes() not in bytes(second.memory.view())
    assert vector(2).tobytes() in bytes(second.memory.view())


def test_another_template_of_a_photo_or_category_of_a_person_makes_new_memory() -> None:
    desk, child = keeper(), holder()
    first = take(desk, 1, row(1), row(2))
    child.apply(first.snapshot, os.dup(first.memory.descriptor))
    second = take(desk, 2, sealed("p1", "f1", vector(9).tobytes()), row(2))
    assert second.memory is not first.memory
    child.apply(second.snapshot, os.dup(second.memory.descriptor))
    assert child.current is not None
    assert [
        [each.person for each in found]
        for found in child.current.gallery.identify(np.vstack([vector(1), vector(9)]), 0.1, 1)
    ] == [[], ["p1"]]
    third = take(desk, 3, replace(row(1), category="other"), row(2))
    child.apply(third.snapshot, os.dup(third.memory.descriptor))
    assert child.current.category_of("p1") == "other"


def test_memory_of_another_model_is_refused_and_the_old_list_stays() -> None:
    built = take(keeper(), 1, row(1))
    child = ListHolder(Mock(fingerprint="model-2"))
    for _ in range(2):
        with pytest.raises(GatewayError, match="reembed"):
            child.apply(built.snapshot, os.dup(built.memory.descriptor))
    assert child.revision == 0


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(replace(row(1), fingerprint="model-0"), id="another model's"),
        pytest.param(replace(row(1), person="p9"), id="moved to another person"),
        pytest.param(replace(row(1), photo="f9"), id="moved to another photo"),
        pytest.param(replace(row(1), wrapped_key=row(2).wrapped_key), id="another key"),
        pytest.param(replace(row(1), template=row(1).template[:-1] + b"\0"), id="changed"),
        pytest.param(replace(row(1), template=b""), id="empty"),
        pytest.param(sealed("p1", "f1", vector(1).tobytes()[:-4]), id="too short"),
        pytest.param(sealed("p1", "f1", np.full(DIMENSION, np.nan, "<f4").tobytes()), id="not a number"),
        pytest.param(sealed("p1", "f1", bytes(4 * DIMENSION)), id="all zeros"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_and_counted(broken: SealedRow) -> None:
    built = take(keeper(), 1, broken, row(2))
    assert (built.snapshot.templates, built.snapshot.skipped) == (1, 1)


def test_a_seal_is_bound_to_person_photo_and_kind() -> None:
    seal = SEALS.of_new("p1")
    photo = seal.seal_photo("f1", b"jpeg")
    again = SEALS.for_person("p1", seal.wrapped_key)
    assert again.open_photo("f1", photo) == b"jpeg"
    with pytest.raises(SealError):
        again.open_photo("f2", photo)
    with pytest.raises(SealError):
        again.open_template("f1", "model-1", photo)
    with pytest.raises(SealError):
        SEALS.for_person("p2", seal.wrapped_key)
    with pytest.raises(SealError):
        PersonSeals(new_key()).for_person("p1", seal.wrapped_key)
    assert seal.wrapped_key.hex() not in repr(seal)


def test_sealed_memory_cannot_be_changed() -> None:
    memory = SealedMemory(4)
    memory.view()[:] = b"list"
    for change in (
        lambda: os.pwrite(memory.descriptor, b"x", 0),
        lambda: os.ftruncate(memory.descriptor, 1),
        lambda: mmap.mmap(memory.descriptor, 4),
    ):
        with pytest.raises(OSError, match="not permitted"):
            change()
    mapped = map_sealed(os.dup(memory.descriptor), 4)
    assert bytes(mapped) == b"list"
    memory.view()[0] = ord("L")
    assert bytes(mapped) == b"List"
    with pytest.raises(TypeError):
        mapped[0] = 0
    memory.close()


def test_memory_that_is_not_sealed_or_too_short_is_refused() -> None:
    open_memory = os.memfd_create("open", os.MFD_ALLOW_SEALING)
    os.write(open_memory, b"list")
    with pytest.raises(PermanentError, match="not sealed"):
        map_sealed(os.dup(open_memory), 4)
    fcntl.fcntl(open_memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    with pytest.raises(PermanentError, match="not sealed"):
        map_sealed(open_memory, 4)
    memory = SealedMemory(4)
    with pytest.raises(PermanentError, match="not whole"):
        map_sealed(memory.descriptor, 5)


@pytest.mark.parametrize("content", [b"x", bytes(8), b"x" * 200, b"\xff" * 200])
def test_bytes_that_are_no_list_are_refused(content: bytes) -> None:
    with pytest.raises(GatewayError):
        Gallery.map(memoryview(content))
