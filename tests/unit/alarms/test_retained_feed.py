"""What is kept goes out in slices: the loop has its turn between two, whatever was asked for."""

import asyncio
from dataclasses import dataclass

from gateway.alarms.packets import Publish
from gateway.alarms.records import RecordBook
from gateway.alarms.retained import RetainedBook
from gateway.alarms.retained_feed import RetainedFeed
from gateway.alarms.sessions import Session
from gateway.alarms.topics import Subscription


@dataclass
class Reader:
    takes_more: bool = True


class Bench:
    """A feed whose clock says that each look at it costs a quarter of a slice."""

    def __init__(self, kept: int) -> None:
        self.sent: list[tuple[str, str]] = []
        self.readers: dict[str, Reader] = {}
        self.book = RetainedBook(RecordBook(None))
        for number in range(kept):
            self.keep(f"kept/{number}")
        self._now = 0.0
        self.feed = RetainedFeed(self.book, self.readers, self._deliver, self._tick)

    def keep(self, topic: str, payload: bytes = b"x") -> None:
        self.book.keep(Publish(topic=topic, payload=payload, retain=True), None)

    def _tick(self) -> float:
        self._now += 0.000125
        return self._now

    def _deliver(self, session: Session, message: Publish, _expires: float | None) -> None:
        self.sent.append((session.client_id, message.topic))

    def client(self, name: str, *patterns: str, options: int = 0) -> Session:
        session = Session(name, filters={each: Subscription(each, options) for each in patterns})
        self.readers[name] = Reader()
        for each in patterns:
            self.feed.want(session, session.filters[each], fresh=True)
        return session

    async def turns(self, number: int) -> int:
        """So many turns of the loop; how many messages went out."""
        before = len(self.sent)
        for _ in range(number):
            await asyncio.sleep(0)
        return len(self.sent) - before


async def test_a_turn_of_the_loop_sends_a_few_and_no_more() -> None:
    bench = Bench(1000)
    bench.client("a", "#", "kept/#", "+/+")
    assert [0 < await bench.turns(1) <= 5 for _ in range(50)] == [True] * 50


async def test_all_clients_share_one_slice_and_take_turns() -> None:
    bench = Bench(100)
    for name in "abcdefgh":
        bench.client(name, "#")
    assert all([await bench.turns(1) <= 5 for _ in range(20)])
    assert {client for client, _topic in bench.sent} == set("abcdefgh")


async def test_each_comes_once_and_what_is_kept_meanwhile_does_not() -> None:
    bench = Bench(50)
    bench.client("a", "kept/#")
    await bench.turns(3)
    bench.keep("kept/new")
    bench.keep("kept/40", b"newer")
    bench.keep("kept/41", b"")
    await bench.turns(200)
    assert [topic for _client, topic in bench.sent] == [f"kept/{each}" for each in range(50) if each not in (40, 41)]


async def test_the_way_stays_good_while_kept_ones_change_a_thousand_times() -> None:
    bench = Bench(50)
    bench.client("a", "kept/#")
    for _ in range(1000):
        bench.keep("other")
        await bench.turns(1)
    assert [topic for _client, topic in bench.sent] == [f"kept/{each}" for each in range(50)]


async def test_who_leaves_or_drops_the_filter_gets_no_more() -> None:
    bench = Bench(1000)
    gone, changed = bench.client("gone", "#"), bench.client("changed", "#")
    await bench.turns(4)
    del bench.readers["gone"]
    gone.ended = True
    changed.filters.clear()
    assert await bench.turns(20) == 0


async def test_who_does_not_keep_up_is_waited_for_and_holds_nobody_up() -> None:
    bench = Bench(40)
    bench.client("slow", "#")
    bench.readers["slow"].takes_more = False
    bench.client("quick", "#")
    await bench.turns(60)
    assert {client for client, _topic in bench.sent} == {"quick"}
    bench.readers["slow"].takes_more = True
    async with asyncio.timeout(10):
        while len(bench.sent) < 80:
            await asyncio.sleep(0.01)


async def test_a_lasting_session_goes_on_where_it_left() -> None:
    bench = Bench(40)
    session = bench.client("a", "#", options=1)
    session.expiry = 60
    await bench.turns(4)
    there = bench.readers.pop("a")
    assert await bench.turns(10) == 0
    bench.readers["a"] = there
    bench.feed.back(session)
    await bench.turns(60)
    assert [topic for _client, topic in bench.sent] == [f"kept/{each}" for each in range(40)]


async def test_retain_handling_and_shared_filters_are_minded() -> None:
    bench = Bench(3)
    bench.client("never", "kept/1", options=2 << 4)
    bench.client("shared", "$share/g/kept/1")
    session = bench.client("new", "kept/1", options=1 << 4)
    bench.feed.want(session, session.filters["kept/1"], fresh=False)
    await bench.turns(10)
    assert bench.sent == [("new", "kept/1")]
