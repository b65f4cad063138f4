"""The watch-list and the evidence: revisions, expiry, and an end that leaves no byte behind."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.sealing import SealError
from gateway.settings import StorageSettings
from gateway.storage import Evidence, Person, PhotoInfo, SealedPhoto, Stores, TemplateRow, open_storage

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MARK = b"bytes-of-a-sealed-photo-that-must-not-stay"


def person(identity: str = "p-1", days: float = 30) -> Person:
    return Person(
        id=identity,
        name=f"某人 {identity}",
        category="barred",
        reason="court order 12",
        authority="police station",
        valid_until=NOW + timedelta(days=days),
        created=NOW,
        updated=NOW,
        created_by="wang",
    )


def photo(identity: str = "f-1", owner: str = "p-1") -> SealedPhoto:
    return SealedPhoto(
        id=identity,
        person=owner,
        fingerprint="dlib-1",
        quality={"sharpness": 0.8},
        created=NOW,
        photo=MARK * 500,
        template=MARK + b"-template",
    )


def evidence(identity: str = "e-1", owner: str = "p-1", days: float = 30) -> Evidence:
    return Evidence(
        id=identity,
        event="match-1",
        camera="cam-01",
        person=owner,
        kind="crop",
        created=NOW,
        purge_after=NOW + timedelta(days=days),
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def opened(directory: Path) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(NOW))


@pytest.fixture
async def stores(directory: Path) -> AsyncIterator[Stores]:
    stores = await opened(directory)
    yield stores
    await stores.close()


def holding(directory: Path, mark: bytes) -> list[str]:
    """Names of the files that hold `mark`."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if mark in path.read_bytes())


# --- watch-list


async def test_every_change_makes_the_next_revision(stores: Stores) -> None:
    people = stores.watchlist
    assert await people.revision() == 0
    assert await people.add(person()) == 1
    assert await people.add_photo(photo(), b"wrapped") == 2
    assert await people.update(replace(person(), reason="court order 13")) == 3
    assert await people.remove_photo("p-1", "f-1") == 4
    assert await people.remove("p-1") == 5
    assert await people.revision() == 5


async def test_a_photo_is_taken_once_for_a_person_whoever_asks_first(stores: Stores) -> None:
    people = stores.watchlist
    await people.add(person())
    await people.add(person("p-2"))
    await people.add_photo(replace(photo(), digest=b"of one file"), b"wrapped")
    for _ in range(2):
        with pytest.raises(PermanentError, match="of the entry already") as refused:
            await people.add_photo(replace(photo("f-2"), digest=b"of one file"), b"wrapped")
        assert refused.value.code == "photo_twice"
    assert await people.revision() == 3
    await people.add_photo(replace(photo("f-2"), digest=b"of another"), b"wrapped")
    await people.add_photo(replace(photo("f-3", "p-2"), digest=b"of one file"), b"wrapped too")
    await people.add_photo(photo("f-4"), b"wrapped")
    await people.add_photo(photo("f-5"), b"wrapped")  # of a child that knows no digests
    await people.remove_photo("p-1", "f-1")
    await people.add_photo(replace(photo("f-6"), digest=b"of one file"), b"wrapped")


async def test_how_far_a_photo_was_from_the_others_comes_back_with_it(stores: Stores) -> None:
    people = stores.watchlist
    await people.add(person())
    await people.add_photo(photo(), b"wrapped")
    await people.add_photo(replace(photo("f-2"), own_distance=0.871, threshold=0.52), b"wrapped")
    found = await people.get("p-1")
    assert found is not None
    assert [(each.own_distance, each.threshold) for each in found.photos] == [(None, None), (0.871, 0.52)]


async def test_people_come_back_with_their_photos(directory: Path, stores: Stores) -> None:
    await stores.watchlist.add(person())
    await stores.watchlist.add_photo(photo(), b"wrapped")
    await stores.close()
    again = await opened(directory)
    info = PhotoInfo(id="f-1", fingerprint="dlib-1", quality={"sharpness": 0.8}, created=NOW)
    assert await again.watchlist.get("p-1") == replace(person(), photos=(info,))
    assert await again.watchlist.people() == [replace(person(), photos=(info,))]
    assert await again.watchlist.photo("p-1", "f-1") == photo()
    assert await again.watchlist.wrapped_key("p-1") == b"wrapped"
    await again.close()


async def test_a_change_that_is_refused_makes_no_revision(stores: Stores) -> None:
    people = stores.watchlist
    await people.add(person())
    await people.add_photo(photo(), b"wrapped")
    for refused in (
        people.add(person()),
        people.update(person("p-9")),
        people.remove("p-9"),
        people.remove_photo("p-1", "f-9"),
        people.add_photo(photo("f-2", "p-9"), b"wrapped"),
        people.add_photo(photo("f-2"), b"another key"),
        people.wrapped_key("p-9"),
    ):
        with pytest.raises(PermanentError):
            await refused
    assert await people.revision() == 2


async def test_only_people_whose_time_has_not_come_are_fed(stores: Stores) -> None:
    people = stores.watchlist
    for identity, days in (("p-1", 1), ("p-2", 2)):
        await people.add(person(identity, days))
        await people.add_photo(photo(f"f-{identity}", identity), f"key-{identity}".encode())
    row = TemplateRow(
        person="p-2",
        category="barred",
        photo="f-p-2",
        wrapped_key=b"key-p-2",
        template=photo().template,
        fingerprint="dlib-1",
    )
    assert (await people.rows(NOW))[0] == 4
    assert len((await people.rows(NOW))[1]) == 2
    assert (await people.rows(NOW + timedelta(days=1)))[1] == [row]


async def test_expiry_is_told_once_and_a_new_term_brings_the_person_back(stores: Stores) -> None:
    people = stores.watchlist
    await people.add(person("p-1", 1))
    await people.add(person("p-2", 2))
    assert await people.next_expiry() == NOW + timedelta(days=1)
    assert await people.expire(NOW) == []
    assert await people.expire(NOW + timedelta(days=1)) == [("p-1", 3)]
    assert await people.expire(NOW + timedelta(days=1)) == []
    assert await people.next_expiry() == NOW + timedelta(days=2)
    await people.update(person("p-1", 3))
    assert await people.expire(NOW + timedelta(days=3)) == [("p-2", 5), ("p-1", 6)]


@pytest.mark.parametrize("idle", [False, True])
async def test_a_removed_person_leaves_no_byte(directory: Path, stores: Stores, idle: bool) -> None:
    await stores.watchlist.add(person())
    await stores.watchlist.add_photo(photo(), b"wrapped-key-of-p-1")
    if idle:  # the rows are in the file itself, not only in its log
        await stores.watchlist._state.erase()
    copy = directory / "state.db.before-2"
    copy.write_bytes(MARK)
    marks = (MARK, b"wrapped-key-of-p-1", "某人".encode())
    assert all(holding(directory, mark) for mark in marks)
    await stores.watchlist.remove("p-1")
    assert [holding(directory, mark) for mark in marks] == [[], [], []]


async def test_no_name_reaches_the_journal(directory: Path, stores: Stores) -> None:
    await stores.watchlist.add(person())
    await stores.close()
    with closing(sqlite3.connect(directory / "journal.db")) as journal:
        assert journal.execute("SELECT count(*) FROM event").fetchone() == (0,)
    assert "某人".encode() not in (directory / "journal.db").read_bytes()


# --- evidence


async def test_a_picture_lies_sealed_and_comes_back(directory: Path, stores: Stores) -> None:
    await stores.watchlist.add(person())
    await stores.evidence.keep(evidence(), MARK)
    await stores.evidence.keep(evidence("e-2", ""), MARK)
    await stores.close()
    assert holding(directory, MARK) == []
    again = await opened(directory)
    assert await again.evidence.open("e-1") == (evidence(), MARK)
    assert await again.evidence.open("e-2") == (evidence("e-2", ""), MARK)
    assert await again.evidence.open("e-3") is None
    assert await again.evidence.of_event("match-1") == [evidence(), evidence("e-2", "")]
    await again.close()


async def test_the_picture_of_a_removed_person_cannot_be_opened_even_from_a_copy(
    directory: Path, stores: Stores
) -> None:
    await stores.watchlist.add(person())
    await stores.evidence.keep(evidence(), MARK)
    copy = (directory / "evidence" / "e-1").read_bytes()
    assert [each.id for each in await stores.evidence.purge_person("p-1")] == ["e-1"]
    assert os.listdir(directory / "evidence") == []
    await stores.watchlist.remove("p-1")
    await stores.watchlist.add(person())  # the same id again has another key
    await stores.evidence.keep(evidence(), b"another picture")
    (directory / "evidence" / "e-1").write_bytes(copy)
    with pytest.raises(SealError):
        await stores.evidence.open("e-1")


async def test_a_picture_of_somebody_unknown_is_not_kept(directory: Path, stores: Stores) -> None:
    with pytest.raises(PermanentError, match="no longer on the list"):
        await stores.evidence.keep(evidence(), MARK)
    assert os.listdir(directory / "evidence") == []


async def test_a_picture_cannot_be_put_in_anothers_place(directory: Path, stores: Stores) -> None:
    await stores.watchlist.add(person())
    await stores.evidence.keep(evidence("e-1"), MARK)
    await stores.evidence.keep(evidence("e-2"), b"another")
    folder = directory / "evidence"
    (folder / "e-1").write_bytes((folder / "e-2").read_bytes())
    with pytest.raises(SealError):
        await stores.evidence.open("e-1")


async def test_what_is_due_is_destroyed_and_named(directory: Path, stores: Stores) -> None:
    await stores.evidence.keep(evidence("e-1", "", days=1), MARK)
    await stores.evidence.keep(replace(evidence("e-2", "", days=1), event="match-2"), MARK)
    await stores.evidence.keep_until("match-2", NOW + timedelta(days=365))
    assert await stores.evidence.purge_due(NOW) == []
    assert [each.id for each in await stores.evidence.purge_due(NOW + timedelta(days=1))] == ["e-1"]
    assert os.listdir(directory / "evidence") == ["e-2"]
    assert await stores.evidence.open("e-1") is None
    assert [each.id for each in await stores.evidence.purge_due(NOW + timedelta(days=365))] == ["e-2"]


async def test_files_without_a_row_go_at_the_next_start(directory: Path, stores: Stores) -> None:
    await stores.evidence.keep(evidence("e-1", ""), MARK)
    await stores.close()
    (directory / "evidence" / ".part-x").write_bytes(b"half")
    (directory / "evidence" / "e-9").write_bytes(b"no row")
    again = await opened(directory)
    assert os.listdir(directory / "evidence") == ["e-1"]
    await again.close()


async def test_an_id_that_would_leave_the_folder_is_refused(stores: Stores) -> None:
    with pytest.raises(PermanentError, match="no id of evidence"):
        await stores.evidence.keep(evidence("../state", ""), MARK)
