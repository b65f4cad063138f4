"""The gallery's keeper: sealed rows to sealed memory, and nothing that was not meant to be in it."""

import fcntl
import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.errors import GatewayError, PermanentError
from gateway.sealing import SealError, new_key
from gateway.vision.gallery.keeper import BuiltGallery, GalleryKeeper
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.memory import SealedMemory, map_sealed
from gateway.vision.shared_list import read_list
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


def test_rows_become_memory_that_another_process_can_map() -> None:
    built = take(keeper(), 7, row(1), row(2), row(3, person="p1"))
    assert (built.snapshot.people, built.snapshot.templates, built.snapshot.skipped) == (2, 3, 0)
    shared = read_list(map_sealed(os.dup(built.memory.descriptor), built.snapshot.size))
    built.memory.close()
    assert shared.gallery.revision == 7
    assert shared.categories == {"p1": "category of p1", "p2": "category of p2"}
    (nearest,) = shared.gallery.identify(vector(2)[None, :], 0.1, 3)
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
    memory = SealedMemory(b"list")
    for change in (lambda: os.pwrite(memory.descriptor, b"x", 0), lambda: os.ftruncate(memory.descriptor, 1)):
        with pytest.raises(OSError, match="not permitted"):
            change()
    assert bytes(memory.view()) == b"list"
    memory.close()


def test_memory_that_is_not_sealed_or_too_short_is_refused() -> None:
    open_memory = os.memfd_create("open", os.MFD_ALLOW_SEALING)
    os.write(open_memory, b"list")
    with pytest.raises(PermanentError, match="not sealed"):
        map_sealed(os.dup(open_memory), 4)
    fcntl.fcntl(open_memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    with pytest.raises(PermanentError, match="not sealed"):
        map_sealed(open_memory, 4)
    memory = SealedMemory(b"list")
    with pytest.raises(PermanentError, match="not whole"):
        map_sealed(memory.descriptor, 5)


@pytest.mark.parametrize("content", [b"x", bytes(8), b"x" * 200, b"\xff" * 200])
def test_bytes_that_are_no_list_are_refused(content: bytes) -> None:
    with pytest.raises(GatewayError):
        read_list(memoryview(content))
