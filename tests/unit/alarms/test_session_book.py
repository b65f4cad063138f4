"""What is kept of a session goes with it: nothing of one that ended comes to a later one of the same name."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.alarms.moments import Moments
from gateway.alarms.packets import LEVEL_5, Publish
from gateway.alarms.records import MESSAGE, RECEIVED, SESSION, RecordBook
from gateway.alarms.sessions import Session, SessionBook

MESSAGE_TO_IT = Publish(topic="a", payload=b"x", qos=1)


class Kept:
    """A store in memory that saves at once."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str, int], bytes] = {}

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        return [(*key, body) for key, body in self.records.items()]

    def save(self, records: Sequence[tuple[str, str, int, bytes | None]]) -> "asyncio.Future[None]":
        for kind, name, number, body in records:
            if body is None:
                self.records.pop((kind, name, number), None)
            else:
                self.records[kind, name, number] = body
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _name, _number in self.records}


class Bench:
    def __init__(self) -> None:
        self.kept = Kept()
        self.records = RecordBook(self.kept)
        self.book = SessionBook(self.records, 100, lambda _client: True, lambda _session: None)

    def open(self, expiry: int) -> Session:
        return self.book.open("btn-01", clean=False, expiry=expiry, level=LEVEL_5, user="")[0]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    bench.book.end_all_timers()
    await bench.records.close()


async def filled(bench: Bench) -> Session:
    session = bench.open(300)
    bench.book.enqueue(session, MESSAGE_TO_IT, None)
    bench.book.receive(session, 7, b"mark")
    bench.records.flush()
    assert bench.kept.kinds == {SESSION, MESSAGE, RECEIVED}
    return session


async def test_a_session_that_is_to_last_no_longer_leaves_no_record(bench: Bench) -> None:
    """DISCONNECT with a session expiry of 0 (§3.14.2.2.2)."""
    session = await filled(bench)
    bench.book.set_expiry(session, 0)
    bench.book.close(session)
    await bench.records.close()
    assert bench.kept.records == {}


async def test_one_that_goes_on_without_an_expiry_keeps_its_messages_and_no_record(bench: Bench) -> None:
    """CONNECT without Clean Start and with an expiry of 0: what waits is still sent, but not after a restart."""
    await filled(bench)
    session = bench.open(0)
    await bench.records.close()
    assert bench.kept.records == {}
    assert len(session.queue) == 1
    assert session.received == {7: b"mark"}


async def test_of_too_many_ids_that_are_never_released_the_oldest_is_forgotten(bench: Bench) -> None:
    session = bench.open(300)
    for number in (*range(1, 1025), 1, 2000):
        bench.book.receive(session, number, b"mark")
    assert len(session.received) == 1024
    assert 2 not in session.received
    assert {1, 3, 2000} <= session.received.keys()
    await bench.records.close()
    assert len([kind for kind, *_rest in await bench.kept.load() if kind == RECEIVED]) == 1024


@pytest.mark.parametrize(("boot", "wall", "left"), [("one", 7200, 280), ("one", -7200, 280), ("two", -7200, 300)])
async def test_a_session_s_end_is_known_behind_a_step_of_the_wall_clock(boot: str, wall: float, left: float) -> None:
    now = asyncio.get_running_loop().time()
    kept = Kept()
    before = RecordBook(kept, Moments("one", lambda: now, lambda: 1e9))
    book = SessionBook(before, 100, lambda _client: True, lambda _session: None)
    book.close(book.open("btn-01", clean=False, expiry=300, level=LEVEL_5, user="")[0])
    book.end_all_timers()
    await before.close()
    after = RecordBook(kept, Moments(boot, lambda: now + 20, lambda: 1e9 + wall))
    again = SessionBook(after, 100, lambda _client: False, lambda _session: None)
    ((_kind, name, _number, body),) = await kept.load()
    again.restore_session(name, body)
    session = again.get("btn-01")
    assert session is not None
    assert session.timer is not None
    assert session.timer.when() == pytest.approx(now + left, abs=5)
    again.end_all_timers()
