"""Clips in the store: they grow, are closed whatever ends them, and go with their time or their person."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.clock import ManualClock
from gateway.events import Cause
from gateway.settings import StorageSettings
from gateway.storage import ClipPart, ClipState, Evidence, Person, Stores, open_storage
from gateway.storage.clip_file import GrowingFile

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PIECES = [bytes([number]) * 50_000 for number in range(1, 5)]
Faults = list[tuple[str, str]]


def clip(identity: str = "c-1", owner: str = "", days: float = 30) -> Evidence:
    return Evidence(
        id=identity,
        event="press-1",
        camera="cam-01",
        person=owner,
        kind="clip",
        created=NOW,
        purge_after=NOW + timedelta(days=days),
        clip=ClipState(),
    )


def part(number: int, about: Evidence | None = None, **changes: object) -> ClipPart:
    made = ClipPart(evidence=about or clip(), number=number, data=PIECES[number % 4], whole=True, seconds=number + 1.0)
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of the part


def listed() -> Person:
    return Person(
        id="p-1",
        name="某人",
        category="barred",
        reason="court order 12",
        authority="police station",
        valid_until=NOW + timedelta(days=30),
        created=NOW,
        updated=NOW,
        created_by="wang",
    )


async def until(met: Callable[[], Awaitable[object]]) -> None:
    while not await met():
        await asyncio.sleep(0.01)


async def opened(directory: Path) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(NOW))


@asynccontextmanager
async def running(directory: Path, faults: Faults | None = None) -> AsyncIterator[Stores]:
    stores = await opened(directory)

    async def note(cause: Cause) -> None:
        if faults is not None:
            faults.append((cause.fault, cause.words))

    task = asyncio.create_task(stores.clips.run(note))
    try:
        yield stores
    finally:
        task.cancel()
        await asyncio.wait([task])
        await stores.close()


async def state(stores: Stores, identity: str = "c-1") -> ClipState | None:
    found = await stores.evidence.get(identity)
    return None if found is None else stores.clips.state_of(found)


def is_over(stores: Stores, identity: str = "c-1") -> Callable[[], Awaitable[bool]]:
    async def over() -> bool:
        found = await state(stores, identity)
        return found is not None and found.state != "recording"

    return over


async def test_how_a_clip_is_coded_is_known_from_its_begin_on(tmp_path: Path) -> None:
    async with running(tmp_path) as stores:
        first = part(0)
        coded = replace(first.evidence, clip=ClipState(codec="hvc1.1.6.L93.B0"))
        stores.clips.put(replace(first, evidence=coded))

        async def has_begun() -> bool:
            return await state(stores) is not None

        await until(has_begun)
        stores.clips.put(replace(part(1, last=True), evidence=coded))
        await until(is_over(stores))
        found = await state(stores)
        assert found is not None
        assert (found.state, found.codec) == ("whole", "hvc1.1.6.L93.B0")


async def test_a_clip_is_read_while_it_grows_and_when_it_is_whole(tmp_path: Path) -> None:
    async with running(tmp_path) as stores:
        stores.clips.put(part(0))
        stores.clips.put(part(1, whole=False))

        async def has_begun() -> bool:
            found = await state(stores)
            return found is not None and found.size == 50_000

        await until(has_begun)
        assert await state(stores) == ClipState(state="recording", seconds=1.0, size=50_000)
        assert await stores.clips.read("c-1", 49_990, 100) == PIECES[0][:10]
        stores.clips.put(part(2))
        stores.clips.put(part(3, data=b"", whole=False, last=True))
        await until(is_over(stores))
        whole = ClipState(state="whole", seconds=3.0, size=150_000)
        assert await state(stores) == whole
        assert await stores.clips.look("c-1") == (replace(clip(), clip=whole), 150_000)
        assert await stores.clips.read("c-1", 0, 1 << 20) == b"".join(PIECES[:3])
        assert await stores.evidence.of_event("press-1") == [replace(clip(), clip=whole)]
    async with running(tmp_path) as stores:
        assert await stores.clips.read("c-1", 100_000, 5) == PIECES[2][:5]
        assert await stores.clips.look("c-2") is None
        assert await stores.clips.read("c-2", 0, 1) is None


async def test_a_clip_whose_child_dies_is_closed_as_cut_short(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        stores.clips.put(part(0))
        stores.clips.put(part(1, whole=False))
        stores.clips.put(part(2, data=b"", whole=False, last=True, cut_short=True))
        await until(is_over(stores))
        assert await state(stores) == ClipState(state="cut_short", seconds=1.0, size=50_000)
    assert faults == []


async def test_what_is_missing_and_who_was_there_is_kept_with_the_clip(tmp_path: Path) -> None:
    known = ClipState(others=False, seconds=1.0, size=50_000, late_seconds=7.5, lost_seconds=1.25)

    def told(number: int, **changes: object) -> ClipPart:
        return part(number, clip(), late_seconds=7.5, lost_seconds=1.25, others=False, **changes)

    async with running(tmp_path) as stores:
        stores.clips.put(told(0))

        async def has_begun() -> bool:
            found = await state(stores)
            return found is not None and found.size == 50_000

        await until(has_begun)
        assert await state(stores) == replace(known, others=True), "who comes yet is not known"
        stores.clips.put(told(1, data=b"", last=True, cut_short=True))
        stores.clips.put(part(0, clip("c-2")))
        stores.clips.put(part(1, clip("c-2"), data=b"", last=True, others=True))
        await until(is_over(stores, "c-2"))
        assert await state(stores) == replace(known, state="cut_short")
        assert await state(stores, "c-2") == ClipState(state="whole", others=True, seconds=1.0, size=50_000)
    async with running(tmp_path) as stores:
        assert await state(stores) == replace(known, state="cut_short")


async def test_a_clip_that_its_child_gives_up_is_a_fault_and_no_evidence(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        stores.clips.put(part(0, data=b"", last=True, cut_short=True, trouble="8 clips are being recorded"))
        await until(lambda: _said(faults))
        assert await state(stores) is None
    assert faults == [("clip_given_up", "clip c-1 of cam-01: 8 clips are being recorded")]
    assert not list((tmp_path / "evidence").iterdir())


async def test_when_a_match_came_and_went_is_kept_with_its_evidence_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as stores:
        for identity, event in (("e-1", "match-1"), ("e-2", "match-2"), ("e-3", "match-3")):
            await stores.evidence.keep(replace(clip(identity), event=event, kind="crop", clip=None), b"jpeg")
        first, last = NOW - timedelta(seconds=6), NOW - timedelta(seconds=1.5)
        await stores.evidence.note_passage(("match-1", "match-2", "match-9"), first, last)
        found = [await stores.evidence.get(f"e-{number}") for number in (1, 2, 3)]
        assert [each and (each.first_seen, each.last_seen) for each in found] == [(first, last)] * 2 + [(None, None)]
        assert (await stores.evidence.of_event("match-2"))[0].last_seen == last


async def test_a_gateway_that_dies_leaves_a_clip_that_the_next_start_closes(tmp_path: Path) -> None:
    stores = await opened(tmp_path)
    key = await stores.clips._state.write(lambda c: stores.evidence.begin_clip(c, clip()))
    file = GrowingFile(stores.evidence.path_of("c-1"), key, "c-1")
    file.append(PIECES[0], 1.0)
    file.append(PIECES[1], 2.0)
    file.close()
    torn = stores.evidence.path_of("c-1").read_bytes()[:-100]
    stores.evidence.path_of("c-1").write_bytes(torn)
    await stores.clips._state.write(lambda c: stores.evidence.begin_clip(c, clip("c-2")))
    await stores.close()
    async with running(tmp_path) as stores:
        assert await state(stores) == ClipState(state="cut_short", seconds=1.0, size=50_000)
        assert await stores.clips.read("c-1", 0, 1 << 20) == PIECES[0]
        assert await stores.evidence.get("c-2") is None, "a clip without a picture goes"


async def test_stopping_writes_what_waits_and_closes_what_grows(tmp_path: Path) -> None:
    stores = await opened(tmp_path)
    for number in range(4):
        stores.clips.put(part(number))
    await stores.close()
    async with running(tmp_path) as stores:
        assert await state(stores) == ClipState(state="cut_short", seconds=4.0, size=200_000)


async def test_a_file_that_became_shorter_is_told_as_cut_short(tmp_path: Path) -> None:
    async with running(tmp_path) as stores:
        stores.clips.put(part(0))
        stores.clips.put(part(1, last=True))
        await until(is_over(stores))
        path = stores.evidence.path_of("c-1")
        path.write_bytes(path.read_bytes()[:-1])
        found = await stores.clips.look("c-1")
        assert found is not None
        assert found[0].clip == ClipState(state="cut_short", seconds=1.0, size=50_000)
        path.unlink()
        assert await stores.clips.read("c-1", 0, 10) is None


async def test_a_clip_of_a_person_dies_with_the_person_also_while_it_grows(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        await stores.watchlist.add(listed())
        mine = clip("c-1", "p-1")
        stores.clips.put(part(0, mine))

        file = stores.evidence.path_of("c-1")

        async def has_begun() -> bool:
            return file.is_file() and file.stat().st_size > len(PIECES[0])

        await until(has_begun)
        copy = file.read_bytes()
        await stores.evidence.purge_person("p-1")
        await stores.watchlist.remove("p-1")
        stores.clips.put(part(1, mine))
        stores.clips.put(part(2, mine, last=True))
        stores.clips.put(part(0, clip("c-2", "p-1"), last=True))
        stores.clips.put(part(0, clip("c-3"), last=True))
        await until(lambda: is_gone(stores))
        assert await state(stores, "c-1") is None
        assert await state(stores, "c-2") is None
        assert os.listdir(tmp_path / "evidence") == ["c-3"]
        (tmp_path / "evidence" / "c-1").write_bytes(copy)
        assert await stores.clips.read("c-1", 0, 10) is None
    assert faults == [], "who was removed is nobody whose clip is missing"


async def is_gone(stores: Stores) -> bool:
    found = await state(stores, "c-3")
    return found is not None and found.state == "whole"


async def test_a_clip_goes_when_its_time_has_come(tmp_path: Path) -> None:
    async with running(tmp_path) as stores:
        stores.clips.put(part(0, clip(days=1), last=True))
        await until(is_over(stores))
        assert [each.id for each in await stores.evidence.purge_due(NOW + timedelta(days=1))] == ["c-1"]
        assert os.listdir(tmp_path / "evidence") == []
        assert await stores.clips._state.read(lambda c: c.execute("SELECT count(*) FROM clip").fetchone()) == (0,)


async def test_what_does_not_fit_together_is_given_up_with_what_there_was(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        stores.clips.put(part(7, clip("c-9")))  # of a clip that never began
        stores.clips.put(part(0))
        stores.clips.put(part(2))
        stores.clips.put(part(3))
        await until(is_over(stores))
        assert await state(stores) == ClipState(state="cut_short", seconds=1.0, size=50_000)
        stores.clips.put(part(4))
        stores.clips.put(part(0, clip("c-2"), last=True))
        await until(is_over(stores, "c-2"))
        assert await state(stores, "c-9") is None
    assert [fault for fault, _ in faults] == ["clip_given_up"]
    assert "a part of it is missing" in faults[0][1]


async def test_a_camera_of_which_no_clip_can_be_made_hides_no_other_one(tmp_path: Path) -> None:
    faults: Faults = []

    def refused(number: int, camera: str) -> ClipPart:
        about = replace(clip(f"c-{number}"), camera=camera)
        return part(0, about, data=b"", last=True, cut_short=True, trouble="no picture came")

    async with running(tmp_path, faults) as stores:
        for number, camera in enumerate(("cam-01", "cam-02", "cam-01")):
            stores.clips.put(refused(number, camera))
        stores.clips.put(part(0, clip("c-8"), last=True))
        stores.clips.put(refused(9, "cam-01"))
        await until(lambda: _are_said(faults, 3))
    assert [words.rpartition(" of ")[2] for _, words in faults] == [
        f"{camera}: no picture came" for camera in ("cam-01", "cam-02", "cam-01")
    ], "a camera's trouble is told again once a clip of it was made"


async def _are_said(faults: Faults, count: int) -> bool:
    return len(faults) >= count


async def test_more_than_fits_into_the_queue_is_given_up_without_waiting(tmp_path: Path) -> None:
    stores = await opened(tmp_path)
    for number in range(45):
        stores.clips.put(part(number, data=bytes(1024 * 1024)))
    assert stores.clips._waiting_bytes <= 32 * 1024 * 1024
    await stores.close()
    async with running(tmp_path) as stores:
        assert await state(stores) == ClipState(state="cut_short", seconds=32.0, size=32 * 1024 * 1024)


async def test_an_id_that_was_used_cannot_be_written_again(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        stores.clips.put(part(0, last=True))
        await until(is_over(stores))
        stores.clips.put(part(0))
        stores.clips.put(part(1, last=True))
        await until(lambda: _said(faults))
        assert await state(stores) == ClipState(state="whole", seconds=1.0, size=50_000)
        assert await stores.clips.read("c-1", 0, 1 << 20) == PIECES[0]


async def test_an_id_that_is_none_is_refused(tmp_path: Path) -> None:
    faults: Faults = []
    async with running(tmp_path, faults) as stores:
        stores.clips.put(part(0, clip("../state"), last=True))
        stores.clips.put(part(0, last=True))
        await until(is_over(stores))
        await until(lambda: _said(faults))
    assert not (tmp_path / "state").exists()
    assert "no id of evidence" in faults[0][1]


async def _said(faults: Faults) -> bool:
    return bool(faults)


async def test_a_full_disk_ends_the_clip_and_leaves_the_reserve_to_presses(small_disk: Path) -> None:
    faults: Faults = []
    async with running(small_disk / "state", faults) as stores:
        for number in range(100):
            stores.clips.put(part(number, data=bytes(200_000)))
            await asyncio.sleep(0.001)
        await until(is_over(stores))
        stores.clips.put(part(0, clip("c-2")))
        found = await state(stores)
        assert found is not None
        assert found.state == "cut_short"
        assert found.size > 1_000_000
        assert await stores.clips.read("c-1", found.size - 10, 100) == bytes(10)
        assert stores.ballast.held
        assert not stores.journal.failed.done()
    assert [fault for fault, _ in faults] == ["clip_given_up"]


async def test_a_cameras_own_recording_keeps_its_clock_and_what_is_missing_says_why(tmp_path: Path) -> None:
    fetched = replace(clip(), kind="camera_clip", clip=ClipState(clock_offset_seconds=-90.5))
    gone = ClipState(state="missing", others=False, reason="unreachable")
    missing = replace(clip("c-2"), kind="camera_clip", clip=gone)
    async with running(tmp_path) as stores:
        stores.clips.put(part(0, fetched))
        stores.clips.put(part(1, fetched, data=b"", whole=False, last=True))
        await until(is_over(stores))
        await stores.clips.note_missing(missing)
        await stores.clips.note_missing(replace(clip("c-3", "nobody"), clip=gone))
    async with running(tmp_path) as stores:
        whole = ClipState(state="whole", seconds=1.0, size=50_000, clock_offset_seconds=-90.5)
        assert await stores.evidence.of_event("press-1") == [replace(fetched, clip=whole), missing]
        assert await stores.clips.look("c-2") is None
        assert await stores.evidence.purge_due(NOW + timedelta(days=31)) == [replace(fetched, clip=whole), missing]
        assert not (tmp_path / "evidence" / "c-1").exists()
