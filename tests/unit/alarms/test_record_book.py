"""Changes of many clients share a save, and nobody hears of success before what he changed is durable."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.alarms.records import MESSAGE, RECEIVED, RecordBook
from gateway.errors import TransientError

Change = tuple[str, str, int, bytes | None]


class Slow:
    """A store whose saves end when the test says so."""

    def __init__(self) -> None:
        self.saves: list[list[Change]] = []
        self.ends: list[asyncio.Future[None]] = []

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        return []

    def save(self, records: Sequence[Change]) -> "asyncio.Future[None]":
        self.saves.append(list(records))
        self.ends.append(asyncio.get_running_loop().create_future())
        return self.ends[-1]


def put(book: RecordBook, number: int) -> "asyncio.Future[None]":
    book.put(RECEIVED, "a", number, b"%d" % number)
    done = book.flush()
    assert done is not None
    return done


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_a_save_is_under_way_shares_the_next() -> None:
    store = Slow()
    book = RecordBook(store)
    first, second, third = put(book, 1), put(book, 2), put(book, 3)
    assert [len(each) for each in store.saves] == [1]
    store.ends[0].set_result(None)
    await turn()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    assert [len(each) for each in store.saves] == [1, 2]
    store.ends[1].set_result(None)
    await asyncio.gather(second, third)
    assert book.flush() is None


async def test_who_changed_nothing_waits_for_what_is_under_way() -> None:
    store = Slow()
    book = RecordBook(store)
    first = put(book, 1)
    assert book.flush() is first
    store.ends[0].set_result(None)
    await first


async def test_a_save_that_failed_is_told_and_done_again_before_the_next_is_good() -> None:
    store = Slow()
    book = RecordBook(store)
    first, second = put(book, 1), put(book, 2)
    store.ends[0].set_exception(TransientError("the disk is full"))
    with pytest.raises(TransientError):
        await first
    await turn()
    assert sorted(number for _kind, _name, number, _body in store.saves[1]) == [1, 2]
    assert not second.done()
    store.ends[1].set_result(None)
    await second


async def test_the_end_waits_for_both_saves() -> None:
    store = Slow()
    book = RecordBook(store)
    put(book, 1)
    put(book, 2)
    closing = asyncio.ensure_future(book.close())
    for number in range(2):
        await turn()
        assert not closing.done()
        store.ends[number].set_result(None)
    await closing
    assert len(store.saves) == 2


async def test_a_message_that_stands_in_the_place_of_one_on_the_disk_takes_it_away_too() -> None:
    store = Slow()
    book = RecordBook(store)
    book.remove(MESSAGE, "a", 1)
    full = book.flush()
    assert full is not None
    store.ends[0].set_exception(TransientError("the disk is full"))
    with pytest.raises(TransientError):
        await full
    book.put(MESSAGE, "a", 1, b"of the next session")
    book.remove(MESSAGE, "a", 1)
    saved = book.flush()
    assert saved is not None
    store.ends[1].set_result(None)
    await saved
    assert store.saves[1] == [(MESSAGE, "a", 1, None)]
    book.put(MESSAGE, "a", 1, b"another")
    book.remove(MESSAGE, "a", 1)
    assert book.flush() is None, "it never was on the disk"
    await book.close()
