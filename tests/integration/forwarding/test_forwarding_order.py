"""Each source in order, a press before what waits: over a real journal, with long backlogs."""

import asyncio
from collections import defaultdict

import pytest
from integration.forwarding.bench import SLOW, House, Picky, lesser, names, press, until

from gateway.events import ButtonTested
from gateway.forwarding import Outcome, Verdict
from gateway.forwarding.lanes import LANE
from gateway.simulators.office import Misbehaviour, SimulatedOffice
from gateway.storage import Stored


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
    assert len(sink.taken) < 3000, "it is told long before the 6,000 of the other are"
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


async def test_what_stands_before_a_press_of_the_same_button_is_as_urgent(house: House) -> None:
    sink = house.sinks["office"] = Picky(stalled={f"t{n}" for n in range(40)})
    await house.append(*(lesser(f"t{n}", f"btn-{n}") for n in range(40)), lesser("quiet", "btn-99"))
    await house.start()
    await until(lambda: len(sink.asked) == 4)
    await house.append(press("help", "btn-99"))
    await until(lambda: sink.taken == ["quiet", "help"])


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
