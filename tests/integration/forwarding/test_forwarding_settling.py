"""Refusals, tries at once, and what is settled: what a destination is sent, and what it is not."""

import asyncio

import pytest
from integration.forwarding.bench import QUICK, SLOW, House, Picky, lesser, press, until

from gateway.clock import SystemClock
from gateway.errors import PermanentError
from gateway.events import DestinationFailing
from gateway.forwarding import Forwarder, Outcome, Verdict
from gateway.settings import DestinationSettings, ForwardingSettings
from gateway.simulators.office import SimulatedOffice


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
    assert (house.status().refused, house.status().state) == (1, "failing")
    sink.answer = lambda _stored: Outcome(Verdict.ACCEPTED)
    (stored,) = await house.stores.journal.read(1, 1)
    assert (await house.forwarders.get("office").retry_dead(stored)).verdict is Verdict.ACCEPTED
    assert await house.stores.outbox.dead_letters("office") == []


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
