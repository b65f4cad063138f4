"""What every journal owes: one suite, on a new file, on one that was opened again, and on one without its ring."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from harness.bitflip import flip

from gateway.clock import ManualClock
from gateway.events import ButtonLost, ButtonPressed, Event, FaceMatched, Severity, decode
from gateway.settings import StorageSettings
from gateway.storage import EventFilter, Journal, StorageFailedError, UnreadableEvent
from gateway.storage.chain import chain_hash

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def press(number: int, **changes: object) -> ButtonPressed:
    event = ButtonPressed(
        id=f"press-{number}",
        source="/site/east/button/btn-01",
        subject="btn-01",
        time=START + timedelta(seconds=number),
        severity=Severity.CRITICAL,
        device="btn-01",
        name="东门岗亭",
    )
    return replace(event, **changes)  # type: ignore[arg-type]  # fields of the caller's choice


def lost(number: int) -> ButtonLost:
    return ButtonLost(
        id=f"lost-{number}",
        source="/site/east/button/btn-02",
        subject="btn-02",
        time=START + timedelta(seconds=number),
        severity=Severity.HIGH,
        device="btn-02",
    )


async def opened(directory: Path, clock: ManualClock) -> Journal:
    return await Journal.open(directory, clock=clock, settings=StorageSettings(directory=directory))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["new", "opened again"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Journal]:
    journal = await opened(tmp_path, clock)
    if request.param == "opened again":
        await journal.append_all([lost(number) for number in range(-3, 0)])
        await journal.close()
        journal = await opened(tmp_path, clock)
    yield journal
    await journal.close()


async def test_events_at_positions_are_those_very_ones(journal: Journal) -> None:
    first, second = await journal.append_all([press(1), press(2)])
    assert await journal.at([first.position, second.position, second.position + 1]) == [first, second]
    assert await journal.at([0]) == [], "no other event stands in for one that is not there"


async def test_an_append_gives_the_next_position_and_stamps_the_time(journal: Journal, clock: ManualClock) -> None:
    before = journal.last_position
    stored = await journal.append(press(1))
    assert stored.position == before + 1 == journal.last_position
    assert stored.event == replace(press(1), recorded=clock.now())
    assert decode(stored.body) == stored.event


async def test_the_same_id_again_is_the_old_entry(journal: Journal, clock: ManualClock) -> None:
    first = await journal.append(press(1))
    clock.advance(60)
    again = await journal.append(press(1, name="changed"))
    assert again == first
    assert journal.last_position == first.position


async def test_the_same_id_at_the_same_moment_is_one_entry(journal: Journal) -> None:
    stored = await asyncio.gather(*(journal.append(press(1)) for _ in range(20)))
    assert len({each.position for each in stored}) == 1
    assert journal.last_position == stored[0].position


async def test_many_at_once_get_consecutive_positions_in_order(journal: Journal) -> None:
    before = journal.last_position
    stored = await journal.append_all([press(number) for number in range(700)])
    assert [each.position for each in stored] == list(range(before + 1, before + 701))
    assert [each.event.id for each in await journal.read(before, 700)] == [f"press-{n}" for n in range(700)]


async def test_all_or_nothing_of_several_is_stored_and_the_chain_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal.last_position

    def hash_but_the_third(previous: bytes, position: int, event_id: str, salt: bytes, body: bytes) -> bytes:
        if event_id == "press-3":
            raise ValueError(event_id)
        return chain_hash(previous, position, event_id, salt, body)

    monkeypatch.setattr("gateway.storage.insertion.chain_hash", hash_but_the_third)
    others = [asyncio.ensure_future(journal.append(lost(number))) for number in range(2)]
    with pytest.raises(ValueError, match="press-3"):
        await journal.append_all([press(number) for number in range(1, 6)])
    await asyncio.gather(*others)
    assert [each.event.id for each in await journal.read(before)] == ["lost-0", "lost-1"]
    stored = await journal.append_all([press(1), lost(1), press(2)])
    assert [each.position - before for each in stored] == [3, 2, 4]
    assert await journal.verify() is None


@pytest.mark.parametrize("size", [1, 2, 5, 16, 17, 64, 90, 200])
async def test_of_many_at_once_each_id_is_stored_once_and_the_chain_holds(journal: Journal, size: int) -> None:
    before = (await journal.append(press(0))).position
    numbers = [number // 2 if number % 5 == 4 else number for number in range(size)]
    stored = await asyncio.gather(*(journal.append(press(number)) for number in numbers))
    assert [each.event.id for each in stored] == [f"press-{number}" for number in numbers]
    new = sorted({each.position for each in stored} - {before})
    assert new == list(range(before + 1, before + len(set(numbers) - {0}) + 1))
    assert {each.event.id: each.position for each in await journal.read(before, 500)} == {
        each.event.id: each.position for each in stored if each.position != before
    }
    assert await journal.verify() is None


async def test_reading_goes_on_behind_a_position(journal: Journal) -> None:
    stored = await journal.append_all([press(number) for number in range(10)])
    assert await journal.read(stored[3].position, 3) == stored[4:7]
    assert await journal.read(stored[-1].position) == []


async def test_reading_from_the_beginning_gives_all(journal: Journal) -> None:
    stored = await journal.append(press(1))
    everything = await journal.read(0, 100)
    assert [each.position for each in everything] == list(range(1, stored.position + 1))
    assert everything[-1] == stored


async def test_the_tail_is_the_newest_oldest_first(journal: Journal) -> None:
    stored = await journal.append_all([press(number) for number in range(5)])
    assert await journal.tail(2) == stored[-2:]


FILTERS: list[tuple[EventFilter, list[str]]] = [
    (EventFilter(types=("campus.button.lost",)), ["lost-2"]),
    (EventFilter(types=("campus.button.",)), ["press-1", "lost-2", "press-3"]),
    (EventFilter(types=("campus.button",)), []),
    (EventFilter(severities=(Severity.CRITICAL,)), ["press-1", "press-3"]),
    (EventFilter(source="/site/east/button/btn-02"), ["lost-2"]),
    (EventFilter(since=START + timedelta(seconds=2)), ["lost-2", "press-3"]),
    (EventFilter(until=START + timedelta(seconds=2)), ["press-1", "lost-2"]),
    (EventFilter(types=("campus.face.", "campus.button.lost"), severities=(Severity.HIGH,)), ["lost-2"]),
]


@pytest.mark.parametrize(("wanted", "expected"), FILTERS)
async def test_a_filter_gives_the_same_from_memory_and_from_the_file(
    journal: Journal, wanted: EventFilter, expected: list[str]
) -> None:
    before = journal.last_position
    await journal.append_all([press(1), lost(2), press(3)])
    recent = await journal.read(before, 100, wanted)
    filed = [each for each in await journal.tail(100, wanted) if each.position > before]
    assert [each.event.id for each in recent] == expected
    assert filed == recent


async def test_an_event_is_found_by_its_id(journal: Journal) -> None:
    stored = await journal.append(press(1))
    assert await journal.find("press-1") == stored
    assert await journal.find("press-2") is None


async def test_a_subscriber_wakes_behind_the_commit(journal: Journal) -> None:
    before = journal.last_position
    with journal.subscribe() as subscription:
        waiting = asyncio.ensure_future(subscription.wait(before))
        await asyncio.sleep(0)
        assert not waiting.done()
        await journal.append(press(1))
        assert await waiting == before + 1
    assert [each.event.id for each in await journal.read(before)] == ["press-1"]


async def test_a_subscriber_does_not_wait_for_what_is_there(journal: Journal) -> None:
    stored = await journal.append(press(1))
    with journal.subscribe() as subscription:
        assert await subscription.wait(stored.position - 1) == stored.position


async def test_a_subscriber_polls_slowly(journal: Journal) -> None:
    with journal.subscribe() as subscription:
        assert await subscription.wait(journal.last_position, timeout=0.01) == journal.last_position


async def test_closing_wakes_who_waits_and_refuses_what_comes(tmp_path: Path, clock: ManualClock) -> None:
    journal = await opened(tmp_path, clock)
    with journal.subscribe() as subscription:
        waiting = asyncio.ensure_future(subscription.wait(0))
        await asyncio.sleep(0)
        await journal.close()
        assert await waiting == 0
    with pytest.raises(StorageFailedError, match="closed"):
        await journal.append(press(1))
    with pytest.raises(StorageFailedError, match="closed"):
        await journal.find("press-1")


async def test_what_is_queued_is_kept_when_closing(tmp_path: Path, clock: ManualClock) -> None:
    journal = await opened(tmp_path, clock)
    appends = [asyncio.ensure_future(journal.append(press(number))) for number in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    assert [each.position for each in await asyncio.gather(*appends)] == list(range(1, 51))
    journal = await opened(tmp_path, clock)
    assert journal.last_position == 50
    assert await journal.verify() is None
    await journal.close()


async def test_an_append_that_nobody_awaits_any_more_is_stored_and_published(journal: Journal) -> None:
    before = journal.last_position
    append = asyncio.ensure_future(journal.append(press(1)))
    await asyncio.sleep(0)
    append.cancel()
    stored = await journal.append(press(2))
    assert [each.event.id for each in await journal.read(before)] == ["press-1", "press-2"]
    assert stored.position == before + 2


async def test_every_kind_of_event_comes_back_as_it_went(journal: Journal) -> None:
    match = FaceMatched(
        id="match-1",
        source="/site/east/camera/cam-01",
        subject="cam-01",
        time=START,
        severity=Severity.HIGH,
        drill=True,
        camera="cam-01",
        person="p-1",
        distance=0.41,
        threshold=0.55,
        looks=4,
        face_height=88,
        quality=0.7,
        model="dlib",
        detector="yunet",
        passage="v-1",
    )
    events: list[Event] = [press(1), lost(2), match]
    before = journal.last_position
    await journal.append_all(events)
    back = [replace(each.event, recorded=None) for each in await journal.tail(3)]
    assert back == events
    assert len(await journal.read(before)) == 3


async def test_the_chain_is_whole(journal: Journal) -> None:
    await journal.append_all([press(number) for number in range(30)])
    assert await journal.verify() is None


async def test_a_foreign_write_ends_the_journal_before_anything_else_is_acknowledged(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Else every press is refused for ever, and nobody starts the gateway anew."""
    journal = await opened(tmp_path, clock)
    await journal.append(press(1))
    with closing(sqlite3.connect(tmp_path / "journal.db")) as foreign, foreign:
        columns = "type, source, severity, time_us, salt, body, hash"
        foreign.execute(f"INSERT INTO event SELECT position + 1, 'foreign', {columns} FROM event")  # noqa: S608  # fixed
    with pytest.raises(StorageFailedError, match="another program"):
        await journal.append(press(2))
    assert isinstance(await journal.failed, StorageFailedError)
    assert not journal.works
    await journal.close()


async def test_what_is_patient_lets_later_work_go_first_and_comes_one_by_one(journal: Journal) -> None:
    gate, done = threading.Event(), list[str]()

    def noted(name: str) -> Callable[[sqlite3.Connection], None]:
        return lambda _connection: done.append(name)

    before = journal.statistics.commits
    first = journal.submit(lambda _connection: gate.wait(10))
    asked = [journal.submit(noted(name), patient=True) for name in ("p1", "p2")]
    pressed = journal.submit(noted("press"))
    gate.set()
    await asyncio.gather(first, pressed, *asked)
    assert done == ["press", "p1", "p2"]
    assert journal.statistics.commits - before >= 2, "one of the patient at most is in a commit"


@pytest.mark.parametrize("position", [1, 5, 10])
async def test_a_damaged_event_is_passed_over_and_keeps_its_place(
    tmp_path: Path, clock: ManualClock, position: int
) -> None:
    journal = await opened(tmp_path, clock)
    for number in range(10):
        await journal.append(press(number) if number % 2 == 0 else lost(number))
    wanted = [each.event.id for each in await journal.read()]
    await journal.close()
    flip(tmp_path, position)
    journal = await opened(tmp_path, clock)
    everything, newest = await journal.read(), await journal.tail(10)
    assert [each.event.id for each in everything] == wanted
    assert [each.position for each in newest] == list(range(1, 11))
    damaged = everything[position - 1]
    assert isinstance(damaged.event, UnreadableEvent)
    assert json.loads(damaged.body)["data"]["position"] == position
    assert sum(isinstance(each.event, UnreadableEvent) for each in newest) == 1
    assert isinstance((await journal.find(wanted[position - 1]) or everything[0]).event, UnreadableEvent)
    kinds = EventFilter(types=(ButtonPressed.TYPE, ButtonLost.TYPE))
    for page in (await journal.read(0, 9, kinds), await journal.tail(9, kinds)):
        assert [each.event.id for each in page] == [each for each in wanted if each != damaged.event.id]
    assert journal.unreadable == {position}
    assert journal.found_unreadable.is_set()
    assert await journal.verify() == position
    assert (await journal.append(press(100))).position == 11
    await journal.close()


async def test_any_byte_of_a_row_may_be_damaged(tmp_path: Path, clock: ManualClock) -> None:
    journal = await opened(tmp_path, clock)
    await journal.append(press(1))
    await journal.append(press(2))
    await journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(
            "UPDATE event SET id = CAST(x'ff80' AS TEXT), source = CAST(x'ff' AS TEXT), severity = 'mad',"
            " time_us = 9000000000000000000 WHERE position = 1"
        )
        connection.commit()
    journal = await opened(tmp_path, clock)
    damaged, whole = await journal.read()
    assert (type(damaged.event), type(whole.event)) == (UnreadableEvent, ButtonPressed)
    assert damaged.event.severity is Severity.CRITICAL
    assert await journal.verify() == 1
    await journal.close()
