"""The forwarder over a real journal to a real receiver: order, overtaking, outages, refusals, crashes, replacement."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.errors import PermanentError, TransientError
from gateway.events import (
    ButtonPressed,
    ButtonTested,
    DestinationFailing,
    DestinationRecovered,
    Event,
    Severity,
)
from gateway.forwarding import DestinationStatus, Forwarder, Forwarders, Outcome, Sink, Verdict, WebhookSink
from gateway.forwarding.lanes import LANE
from gateway.settings import DestinationSettings, ForwardingSettings, StorageSettings
from gateway.simulators.office import Misbehaviour, SimulatedOffice
from gateway.storage import Stored, Stores, open_storage

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
QUICK = ForwardingSettings(retry_seconds=(0.0, 0.01, 0.02, 0.05), failing_after_tries=3)
SLOW = ForwardingSettings(retry_seconds=(0.0, 300.0), failing_after_tries=3)


def press(name: str, device: str = "btn-01") -> ButtonPressed:
    source = f"/site/east/button/{device}"
    return ButtonPressed(id=name, source=source, subject=device, time=START, severity=Severity.CRITICAL, device=device)


def lesser(name: str, device: str = "btn-01") -> ButtonTested:
    return ButtonTested(id=name, source=f"/site/east/button/{device}", subject=device, time=START, device=device)


@dataclass
class Picky:
    """A sink that answers as a test decides, and keeps what it was asked."""

    answer: Callable[[Stored], Outcome] = lambda _stored: Outcome(Verdict.ACCEPTED)
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    stalled: set[str] = field(default_factory=set)
    closed: bool = False

    async def deliver(self, stored: Stored) -> Outcome:
        self.asked.append(stored.event.id)
        if stored.event.id in self.stalled:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        outcome = self.answer(stored)
        if outcome.verdict is Verdict.ACCEPTED:
            self.taken.append(stored.event.id)
        return outcome

    async def close(self) -> None:
        self.closed = True


class House:
    """A journal, an outbox, and destinations."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.settings = QUICK
        self.outbox: Any = stores.outbox
        self.sinks: dict[str, Sink] = {}
        self.forwarders = Forwarders(self.make)

    def make(self, destination: DestinationSettings) -> Forwarder:
        return Forwarder(
            destination,
            site="east",
            journal=self.stores.journal,
            outbox=self.outbox,
            sink=self.sinks.get(destination.id) or WebhookSink(destination.url, secrets=[SECRET], timeout_seconds=2),
            report=self.stores.journal.append,
            clock=SystemClock(),
            settings=self.settings,
        )

    async def start(self, name: str = "office", *, url: str = "http://127.0.0.1:9/", **entry: Any) -> None:
        await self.forwarders.put(DestinationSettings(id=name, url=url, **entry))

    async def append(self, *events: Event) -> None:
        await self.stores.journal.append_all(events)

    def status(self, name: str = "office") -> DestinationStatus:
        return self.forwarders.get(name).status

    async def said(self) -> list[Event]:
        kinds = (DestinationFailing, DestinationRecovered)
        return [each.event for each in await self.stores.journal.read(0, 10_000) if isinstance(each.event, kinds)]


async def until(true: Callable[[], object], what: str = "") -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[House]:
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), SystemClock())
    house = House(stores)
    try:
        yield house
    finally:
        await house.forwarders.close()
        await stores.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path / "state") as house:
        yield house


@pytest.fixture
async def office() -> AsyncIterator[SimulatedOffice]:
    async with SimulatedOffice(secret=SECRET) as office:
        yield office


def names(office: SimulatedOffice) -> list[str]:
    return [each["id"] for each in office.unique.values()]


async def test_what_is_there_and_what_comes_reaches_the_office_in_order(house: House, office: SimulatedOffice) -> None:
    await house.append(*(press(f"a{n}") for n in range(30)))
    await house.start(url=office.url)
    await until(lambda: len(office.unique) == 30)
    await house.append(*(press(f"b{n}") for n in range(30)))
    await until(lambda: len(office.unique) == 60)
    assert names(office) == [f"a{n}" for n in range(30)] + [f"b{n}" for n in range(30)]
    assert (len(office.received), office.refused) == (60, 0)
    await until(lambda: house.status().backlog == 0)
    assert (house.status().state, house.status().oldest, house.status().last_error) == ("ok", None, "")
    assert house.status().last_success is not None


async def test_a_hostile_receiver_gets_every_event_and_each_source_in_order(
    house: House, office: SimulatedOffice
) -> None:
    office.misbehaviour = Misbehaviour(fail_rate=0.2, lose_rate=0.2)
    await house.append(*(press(f"{device}-{n}", device) for n in range(25) for device in ("b1", "b2", "b3")))
    await house.start(url=office.url)
    await until(lambda: len(office.unique) == 75)
    by_source = defaultdict(list)
    for each in office.unique.values():
        by_source[each["subject"]].append(each["id"])
    assert by_source == {device: [f"{device}-{n}" for n in range(25)] for device in ("b1", "b2", "b3")}
    assert len(office.received) > 75, "it lost no answer, so nothing was tried"


async def test_after_an_outage_everything_arrives_once_and_in_order(house: House, tmp_path: Path) -> None:
    async with SimulatedOffice(secret=SECRET) as office:
        await house.start(url=office.url)
        await house.append(press("before"))
        await until(lambda: office.unique)
        port = office.port
    await house.append(*(press(f"p{n}") for n in range(20)))
    await until(lambda: house.status().state == "failing")
    await until(lambda: house.status().backlog == 20)
    await until(lambda: house.status().last_error == "cannot be reached")
    async with SimulatedOffice(secret=SECRET, port=port) as office:
        await until(lambda: len(office.unique) == 20)
        assert names(office) == [f"p{n}" for n in range(20)]
        await until(lambda: house.status().state == "ok")
    failing, recovered = await house.said()
    assert isinstance(failing, DestinationFailing)
    assert isinstance(recovered, DestinationRecovered)


async def test_a_press_overtakes_other_sources_that_wait_for_a_retry(house: House) -> None:
    """Every lesser event failed and is tried again in five minutes; the press is tried at once."""
    house.settings = SLOW
    away = Outcome(Verdict.RETRY, "away")
    sink = Picky(lambda stored: away if isinstance(stored.event, ButtonTested) else Outcome(Verdict.ACCEPTED))
    house.sinks["office"] = sink
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(40)))
    await house.start()
    await until(lambda: house.status().last_error)
    await house.append(press("help", "btn-99"))
    await until(lambda: "help" in sink.taken)


async def test_a_press_overtakes_deliveries_that_hang(house: House) -> None:
    sink = house.sinks["office"] = Picky(stalled={f"t{n}" for n in range(40)})
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(40)))
    await house.start()
    await until(lambda: len(sink.asked) == 4)
    await house.append(press("help", "btn-99"))
    await until(lambda: sink.taken == ["help"])
    assert len(sink.asked) == 5


async def test_a_press_is_seen_behind_a_backlog_that_is_beyond_the_window(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forwarding.intake.WINDOW", 50)
    monkeypatch.setattr("gateway.forwarding.intake._PAGE", 20)
    sink = house.sinks["office"] = Picky(stalled={f"t{n}" for n in range(400)})
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(400)))
    await house.start()
    await until(lambda: len(sink.asked) == 4)
    await house.append(press("help", "other"))
    await until(lambda: sink.taken == ["help"])


async def test_beyond_the_window_too_a_press_goes_behind_what_its_own_button_said_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forwarding.intake.WINDOW", 50)
    monkeypatch.setattr("gateway.forwarding.intake._PAGE", 20)
    sink = house.sinks["office"] = Picky(stalled={f"t{n}" for n in range(400)})
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(400)))
    await house.append(
        lesser("first", "other"), press("help", "other"), lesser("then", "other"), press("more", "other")
    )
    await house.start()
    await until(lambda: sink.taken == ["first", "help", "then", "more"])


async def test_a_button_that_does_not_stop_leaves_room_for_the_press_of_another(house: House) -> None:
    down = True
    sink = house.sinks["office"] = Picky(
        lambda _stored: Outcome(Verdict.RETRY, "down") if down else Outcome(Verdict.ACCEPTED)
    )
    await house.start()
    await asyncio.gather(*(house.append(press(f"stuck-{number}")) for number in range(6000)))
    await until(lambda: house.status().state == "failing")
    await house.append(press("another", device="btn-02"))
    down = False
    house.forwarders.get("office").retry_now()
    await until(lambda: "another" in sink.taken)
    assert len(sink.taken) < 1000
    await until(lambda: house.status().backlog == 0)
    assert [each for each in sink.taken if each.startswith("stuck")] == [f"stuck-{number}" for number in range(6000)]


async def test_nothing_waits_until_the_whole_backlog_is_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long backlog of one source fills its lane only, so the window never ends the reading."""
    monkeypatch.setattr("gateway.forwarding.intake._PAGE", 20)
    sink = house.sinks["office"] = Picky()
    backlog: list[int] = []

    def answer(_stored: Stored) -> Outcome:
        backlog.append(house.forwarders.get("office")._intake.unread)
        return Outcome(Verdict.RETRY, "away")

    sink.answer = answer
    await house.append(*(lesser(f"t{n}") for n in range(4 * LANE)))
    await house.start()
    await until(lambda: backlog)
    assert backlog[0] > 2 * LANE
    await house.append(press("help", "other"))
    await until(lambda: "help" in sink.asked)
    await until(lambda: house.forwarders.get("office")._intake.unread == 0)
    assert house.status().backlog >= 4 * LANE + 1


async def test_a_sender_that_dies_in_the_middle_again_and_again_loses_nothing(
    house: House, office: SimulatedOffice
) -> None:
    office.misbehaviour = Misbehaviour(fail_rate=0.15, lose_rate=0.3)
    await house.append(*(press(f"{device}-{n}", device) for n in range(20) for device in ("b1", "b2", "b3")))

    def has(count: int) -> bool:
        return len(office.unique) >= count

    for arrived in (5, 15, 25, 40):
        await house.start(url=office.url)
        await until(partial(has, arrived))
        await house.forwarders.remove("office")
    await house.start(url=office.url)
    office.misbehaviour = Misbehaviour(drop_after=office.requests)
    await until(lambda: house.status().state == "failing")
    office.misbehaviour = Misbehaviour()
    await until(lambda: house.status().backlog == 0)
    by_source = defaultdict(list)
    for each in office.unique.values():
        by_source[each["subject"]].append(each["id"])
    assert by_source == {device: [f"{device}-{n}" for n in range(20)] for device in ("b1", "b2", "b3")}
    assert len(office.received) > 60, "no answer was lost, so nothing was tried"


async def test_what_stands_before_a_press_of_the_same_button_is_as_urgent(house: House) -> None:
    sink = house.sinks["office"] = Picky(stalled={f"t{n}" for n in range(40)})
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(40)), lesser("quiet", "btn-99"))
    await house.start()
    await until(lambda: len(sink.asked) == 4)
    await house.append(press("help", "btn-99"))
    await until(lambda: sink.taken == ["quiet", "help"])


async def test_a_refused_event_goes_to_the_dead_letters_and_the_rest_flows_on(house: House) -> None:
    sink = house.sinks["office"] = Picky()
    sink.answer = lambda stored: (
        Outcome(Verdict.REFUSED, "answered HTTP 422") if stored.event.id == "p1" else Outcome(Verdict.ACCEPTED)
    )
    await house.start()
    await house.append(press("p0"), press("p1"), press("p2"))
    await until(lambda: sink.taken == ["p0", "p2"])
    await until(lambda: house.status().backlog <= 1)
    (letter,) = await house.stores.outbox.dead_letters("office")
    assert (letter.event, letter.reason, letter.position) == ("p1", "answered HTTP 422", 2)
    async with asyncio.timeout(10):
        while not await house.said():
            await asyncio.sleep(0.01)
    (failing,) = await house.said()
    assert isinstance(failing, DestinationFailing)
    assert (failing.destination, failing.refused) == ("office", "p1")
    assert (house.status().refused, house.status().dead, house.status().state) == (1, 1, "failing")
    await house.forwarders.remove("office")
    await house.start()
    await until(lambda: house.status().dead == 1)
    sink.answer = lambda _stored: Outcome(Verdict.ACCEPTED)
    (stored,) = await house.stores.journal.read(1, 1)
    assert (await house.forwarders.get("office").retry_dead(stored)).verdict is Verdict.ACCEPTED
    assert await house.stores.outbox.dead_letters("office") == []
    assert house.status().dead == 0


async def test_two_that_refuse_everything_do_not_tell_each_other_for_ever(house: House) -> None:
    for name in ("office", "police"):
        house.sinks[name] = Picky(lambda _stored: Outcome(Verdict.REFUSED, "answered HTTP 401"))
        await house.start(name)
    await house.append(*(lesser(f"t{n}") for n in range(20)))
    await until(lambda: not (house.status("office").backlog or house.status("police").backlog))
    await house.append(lesser("last"))
    await until(lambda: not (house.status("office").backlog or house.status("police").backlog))
    assert len(await house.said()) == 2


async def test_a_destination_is_not_sent_what_is_about_itself_and_another_is(house: House) -> None:
    police = house.sinks["police"] = Picky()
    office = house.sinks["office"] = Picky(lambda _stored: Outcome(Verdict.RETRY, "away"))
    await house.start("office")
    await house.start("police")
    await house.append(press("p1"))
    await until(lambda: len(police.taken) == 2)
    (failing,) = await house.said()
    assert failing.id in police.taken
    assert set(office.asked) == {"p1"}


async def test_a_poison_source_leaves_room_for_the_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that can take nothing of one source: its events fill its own lane, not the whole window."""
    monkeypatch.setattr("gateway.forwarding.intake.WINDOW", 2 * LANE)
    poison = Outcome(Verdict.RETRY, "answered HTTP 500")
    sink = Picky(lambda each: poison if each.event.subject == "bad" else Outcome(Verdict.ACCEPTED))
    house.sinks["office"] = sink
    await house.append(*(lesser(f"bad{n}", "bad") for n in range(3 * LANE)))
    await house.append(*(lesser(f"good{n}", "good") for n in range(20)))
    await house.start()
    await until(lambda: len(sink.taken) == 20)
    await until(lambda: (house.status().backlog, house.status().state) == (3 * LANE, "failing"))
    sink.answer = lambda _each: Outcome(Verdict.ACCEPTED)
    await until(lambda: house.status().backlog == 0)
    assert sink.taken[20:] == [f"bad{n}" for n in range(3 * LANE)]


async def test_what_was_settled_is_not_sent_again_after_a_restart(house: House) -> None:
    slow = house.sinks["office"] = Picky(stalled={"stuck"})
    await house.append(lesser("stuck", "btn-00"), *(press(f"p{n}") for n in range(5)))
    await house.start()
    await until(lambda: len(slow.taken) == 5)
    async with asyncio.timeout(10):
        while len((await house.stores.outbox.open("office", 0)).settled) < 5:
            await asyncio.sleep(0.01)
    again = house.sinks["office"] = Picky()
    await house.start()
    assert slow.closed
    await until(lambda: again.taken == ["stuck"])
    await until(lambda: house.status().backlog == 0)
    assert again.asked == ["stuck"]
    assert (await house.stores.outbox.open("office", 0)).low == 6


async def test_a_crash_between_taking_and_settling_sends_the_same_id_again(house: House) -> None:
    class Dying:
        """The process dies before the outbox has written."""

        def __getattr__(self, name: str) -> Any:
            async def never(*_arguments: Any, **_more: Any) -> None:
                await asyncio.Event().wait()

            return getattr(house.stores.outbox, name) if name == "open" else never

    sink = house.sinks["office"] = Picky()
    house.outbox = Dying()
    await house.start()
    await house.append(press("p1"))
    await until(lambda: sink.taken == ["p1"])
    house.outbox = house.stores.outbox
    await house.start()
    await until(lambda: sink.taken == ["p1", "p1"])


async def test_a_full_disk_ends_nothing_and_asks_the_receiver_once(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forwarding.forwarder._STORE_RETRY_SECONDS", 0.01)
    full = [True]

    class Full:
        def __getattr__(self, name: str) -> Any:
            async def work(*arguments: Any, **more: Any) -> Any:
                if full[0] and name != "open":
                    raise TransientError("no room")
                return await getattr(house.stores.outbox, name)(*arguments, **more)

            return work

    sink = house.sinks["office"] = Picky()
    house.outbox = Full()
    await house.start()
    await house.append(press("p1"), press("p2"))
    await until(lambda: "waits for the store" in caplog.text)
    full[0] = False
    await until(lambda: house.status().backlog == 0)
    assert sink.asked == ["p1", "p2"]


async def test_a_driver_that_fails_is_a_failed_try(house: House) -> None:
    sink = house.sinks["office"] = Picky()

    def fail(_stored: Stored) -> Outcome:
        raise ValueError("s3cr3t")

    sink.answer = fail
    await house.start()
    await house.append(press("p1"))
    await until(lambda: house.status().state == "failing")
    assert house.status().last_error == "the driver failed (ValueError)"
    sink.answer = lambda _stored: Outcome(Verdict.ACCEPTED)
    await until(lambda: sink.taken)


async def test_a_stalled_receiver_holds_up_no_other(house: House, office: SimulatedOffice) -> None:
    async with SimulatedOffice(secret=SECRET, misbehaviour=Misbehaviour(stall=True)) as stalled:
        await house.start("police", url=stalled.url)
        await house.start("office", url=office.url)
        await house.append(*(press(f"p{n}", f"btn-{n}") for n in range(40)))
        await until(lambda: len(office.unique) == 40)
        assert stalled.unique == {}


async def test_everything_can_be_tried_at_once(house: House) -> None:
    house.settings = SLOW
    sink = house.sinks["office"] = Picky(lambda _stored: Outcome(Verdict.RETRY, "away"))
    await house.start()
    await house.append(press("p1"), press("p2"))
    await until(lambda: house.status().last_error)
    sink.answer = lambda _stored: Outcome(Verdict.ACCEPTED)
    house.forwarders.get("office").retry_now()
    await until(lambda: sink.taken == ["p1", "p2"])


async def test_a_receivers_wish_to_wait_is_kept_and_never_shortens_the_wait(house: House) -> None:
    house.settings = ForwardingSettings(retry_seconds=(0.0, 300.0))
    sink = house.sinks["office"] = Picky(lambda _stored: Outcome(Verdict.RETRY, "answered HTTP 503", 0.0))
    await house.start()
    await house.append(press("p1"))
    await until(lambda: sink.asked)
    await asyncio.sleep(0.1)
    assert sink.asked == ["p1"]


async def test_a_test_event_goes_past_everything_that_waits(house: House, office: SimulatedOffice) -> None:
    await house.start(url=office.url, minimum_severity="critical")
    assert await house.forwarders.get("office").test() == Outcome(Verdict.ACCEPTED)
    (event,) = office.received
    assert (event["type"], event["data"]) == ("campus.gateway.test", {"test": True})
    assert await house.stores.journal.read() == []


async def test_an_entry_that_cannot_be_used_leaves_the_former_one_at_work(house: House) -> None:
    sink = house.sinks["office"] = Picky()
    await house.start()
    del house.sinks["office"]
    with pytest.raises(PermanentError, match="no address"):
        await house.start(url="http://\0/")
    await house.append(press("p1"))
    await until(lambda: sink.taken == ["p1"])


async def test_one_that_dies_begins_anew_and_harms_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.forwarding.fleet._AGAIN_SECONDS", 0.01)
    failures = [RuntimeError("a bug"), TransientError("no room")]

    class Breaking:
        def __getattr__(self, name: str) -> Any:
            if name == "open" and failures:
                raise failures.pop()
            return getattr(house.stores.outbox, name)

    sink = house.sinks["office"] = Picky()
    house.outbox = Breaking()
    await house.start()
    await house.append(press("p1"))
    await until(lambda: sink.taken == ["p1"])
    assert "died and begins anew" in caplog.text


async def test_what_a_destination_does_not_want_is_settled_without_a_word(house: House) -> None:
    sink = house.sinks["office"] = Picky()
    await house.start(minimum_severity="critical", events=("campus.button.",))
    await house.append(lesser("t1"), press("p1"), lesser("t2"), press("p2"))
    await until(lambda: sink.taken == ["p1", "p2"])
    await until(lambda: house.status().backlog == 0)
    assert (await house.stores.outbox.open("office", 0)).low == 4
    assert [each.event for each in await house.stores.outbox.deliveries("office")] == ["p2", "p1"]


async def test_a_new_destination_gets_what_comes_from_now_on(house: House) -> None:
    await house.append(press("old"))
    sink = Picky()
    forwarder = Forwarder(
        DestinationSettings(id="office", url="http://127.0.0.1:9/"),
        site="east",
        journal=house.stores.journal,
        outbox=house.stores.outbox,
        sink=sink,
        report=house.stores.journal.append,
        clock=SystemClock(),
        settings=QUICK,
        start=house.stores.journal.last_position,
    )
    running = asyncio.create_task(forwarder.run())
    try:
        await house.append(press("new"))
        await until(lambda: sink.taken)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sink.taken == ["new"]


async def test_after_the_journal_was_lost_nothing_new_is_skipped(tmp_path: Path, office: SimulatedOffice) -> None:
    async with opened(tmp_path / "state") as house:
        await house.start(url=office.url)
        await house.append(*(press(f"old{n}") for n in range(30)))
        await until(lambda: len(office.unique) == 30)
        await until(lambda: house.status().backlog == 0)
    (tmp_path / "state" / "journal.db").write_bytes(b"no database at all" * 1000)
    async with opened(tmp_path / "state") as house:
        await house.start(url=office.url)
        await house.append(*(press(f"new{n}") for n in range(5)))
        await until(lambda: len(office.unique) == 35)
        await until(lambda: house.status().backlog == 0)
        low = (await house.stores.outbox.open("office", 0)).low
        assert low == house.stores.journal.last_position, "the gap does not hold it up for ever"
    assert names(office)[30:] == [f"new{n}" for n in range(5)]
    assert len(office.received) == 35
