"""A button that two administrators took out of service: quiet, marked, over by itself, and never hidden."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from unit.incidents.memory import MemoryJournal, MemoryStore, press

from gateway.clock import ManualClock
from gateway.events import ButtonInService, ButtonLost, ButtonPressed, Event, PressKind, new_id
from gateway.forwarding.intake import wants
from gateway.incidents import BadCommandError, ConflictError, IncidentDesk, Patience, ServiceDesk, wanted
from gateway.settings import DestinationSettings, OutputSettings
from gateway.storage import Incident, Stored

HOUR = 3600.0


class Bench:
    """Out of service beside a desk, over memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.journal = MemoryJournal(self.clock)
        self.desk = IncidentDesk(self.journal, MemoryStore(), self.clock)
        self.back: list[str] = []
        self.service = self.new()

    def new(self) -> ServiceDesk:
        names = {"btn-1": ("one", "gate"), "btn-2": ("two", "hall")}
        return ServiceDesk(self.journal, self.clock, site="east", device=names.get, returned=self.back.append)

    async def take_out(self, seconds: float = HOUR) -> None:
        await self.service.ask("btn-1", actor="li", seconds=seconds, reason="water in the box")
        await self.confirm("btn-1", "wang")

    async def confirm(self, device: str, actor: str) -> None:
        """Who confirms what he sees."""
        seen = next((each.asked for each in self.service.all() if each.device == device), self.clock.now())
        await self.service.confirm(device, actor=actor, asked=seen)

    async def say(self, event: Event) -> Event:
        return (await self.service.report(event, self.journal.append)).event

    async def press(self, name: str, kind: PressKind = PressKind.PRESS, device: str = "btn-1") -> bool:
        event = await self.say(replace(press(name, device, kind), time=self.clock.now()))
        assert isinstance(event, ButtonPressed)
        return event.out_of_service is True

    async def incidents(self) -> tuple[Incident, ...]:
        await self.desk.catch_up()
        return self.desk.unresolved()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_one_administrator_alone_takes_nothing_out_of_service(bench: Bench) -> None:
    await bench.service.ask("btn-1", actor="li", seconds=HOUR, reason="water")
    assert await bench.press("p1") is False
    with pytest.raises(BadCommandError) as refused:
        await bench.confirm("btn-1", "li")
    assert refused.value.code == "same_administrator"
    assert await bench.press("p2") is False
    await bench.confirm("btn-1", "wang")
    assert await bench.press("p3") is True
    assert await bench.press("p4", device="btn-2") is False


async def test_a_press_under_duress_is_real_all_the_same(bench: Bench) -> None:
    await bench.take_out()
    assert await bench.press("p1", PressKind.DURESS) is False
    (incident,) = await bench.incidents()
    assert not incident.out_of_service


@pytest.mark.parametrize("kind", [PressKind.PRESS, PressKind.SILENT])
async def test_a_press_is_recorded_and_shown_and_calls_nobody_out(bench: Bench, kind: PressKind) -> None:
    await bench.take_out()
    assert await bench.press("p1", kind) is True
    (incident,) = await bench.incidents()
    assert (incident.state, incident.severity.value, incident.out_of_service) == ("raised", "critical", True)
    assert Patience().ladder(incident) == ()
    assert wanted(OutputSettings(id="siren"), [incident]) is None
    office, police = (DestinationSettings(id=each, url="https://x/", audience=each) for each in ("office", "police"))
    told = [each.event for each in await bench.journal.read(0, 100)]
    assert any(isinstance(each, ButtonPressed) for each in told)
    assert all(wants(office, each) for each in told)
    of_press = [each for each in told if not each.TYPE.startswith("campus.button.") or isinstance(each, ButtonPressed)]
    assert not any(wants(police, each) for each in of_press)


async def test_a_press_never_joins_one_of_the_other_sort(bench: Bench) -> None:
    await bench.press("real")
    await bench.take_out()
    await bench.press("out")
    await bench.press("again")
    found = await bench.incidents()
    assert sorted((each.out_of_service, each.count) for each in found) == [(False, 1), (True, 2)]
    await bench.service.end("btn-1", actor="li")
    await bench.press("back")
    found = await bench.incidents()
    assert sorted((each.out_of_service, each.count) for each in found) == [(False, 2), (True, 2)]


async def test_a_press_of_before_is_real_however_late_it_comes(bench: Bench) -> None:
    made = bench.clock.now()
    bench.clock.advance(600)
    await bench.take_out()
    late = await bench.say(replace(press("late", "btn-1"), time=made, late=True))
    assert isinstance(late, ButtonPressed)
    assert not late.out_of_service


async def test_a_clock_that_is_set_back_makes_no_press_real_that_the_posts_are_told_is_not(bench: Bench) -> None:
    await bench.take_out()
    bench.clock.jump(-HOUR)
    assert await bench.press("p1") is True


async def test_what_is_confirmed_in_its_last_moment_stands(bench: Bench) -> None:
    await bench.service.ask("btn-1", actor="li", seconds=HOUR, reason="paint")
    bench.clock.advance(HOUR - 0.01)
    append, storing, stored = bench.journal.append, asyncio.Event(), asyncio.Event()

    async def slow(event: Event) -> Stored:
        storing.set()
        await stored.wait()
        return await append(event)

    bench.journal.append = slow  # type: ignore[method-assign]  # a disk that takes its time
    confirming = asyncio.create_task(bench.confirm("btn-1", "wang"))
    await storing.wait()
    bench.clock.advance(1)
    ending = asyncio.create_task(bench.service.end_what_is_over())
    await asyncio.sleep(0)
    stored.set()
    await asyncio.gather(confirming, ending)
    (known,) = bench.service.all()
    assert known.confirmed


async def test_another_device_under_the_id_of_one_that_went_is_in_service(bench: Bench) -> None:
    await bench.take_out(seconds=20 * 24 * HOUR)
    there: dict[str, tuple[str, str]] = {}
    again = ServiceDesk(bench.journal, bench.clock, site="east", device=there.get)
    await again.load()
    there["btn-1"] = ("another", "hall")
    bench.service = again
    assert await bench.press("p1") is True, "the file was read while the process ran"
    there.clear()
    assert await bench.press("p2") is False
    await again.end_what_is_over()
    there["btn-1"] = ("another", "hall")
    assert await bench.press("p3") is False
    assert again.all() == ()
    ended = [each.event for each in bench.journal.stored if isinstance(each.event, ButtonInService)]
    assert [each.reason for each in ended] == ["the device is gone"]


async def test_it_is_not_missed_while_it_is_out_and_looked_at_when_it_is_back(bench: Bench) -> None:
    await bench.take_out()
    lost = ButtonLost(
        id=new_id(), source="/site/east/button/btn-1", subject="btn-1", time=bench.clock.now(), device="btn-1"
    )
    await bench.say(lost)
    assert await bench.incidents() == ()
    await bench.service.end("btn-1", actor="li", reason="dry")
    assert bench.back == ["btn-1"]
    await bench.say(replace(lost, id=new_id()))
    assert len(await bench.incidents()) == 1


async def test_it_ends_by_itself_also_behind_a_restart_and_whatever_the_time_of_day_does(bench: Bench) -> None:
    await bench.take_out(seconds=HOUR)
    bench.clock.advance(HOUR / 2)
    again = bench.service = bench.new()
    await again.load()
    (known,) = again.all()
    assert (known.asked_by, known.confirmed_by, known.reason) == ("li", "wang", "water in the box")
    assert known.until is not None
    assert await bench.press("in time") is True
    bench.clock.advance(HOUR / 2 + 1)
    assert await bench.press("behind it") is False, "its time is over whether that was told or not"


async def test_its_end_is_told_and_a_request_that_nobody_confirms_lapses(bench: Bench) -> None:
    await bench.service.ask("btn-2", actor="li", seconds=HOUR, reason="paint")
    await bench.take_out(seconds=120)
    for seconds, left in [(121, ["btn-2"]), (3600, [])]:
        bench.clock.advance(seconds)
        await bench.service.end_what_is_over()
        assert [each.device for each in bench.service.all()] == left
    ends = [each.event for each in await bench.journal.read(0, 100) if isinstance(each.event, ButtonInService)]
    assert [(each.device, each.actor, each.reason) for each in ends] == [
        ("btn-1", "", "its time was over"),
        ("btn-2", "", "nobody confirmed it"),
    ]
    assert bench.back == ["btn-1"], "the other one was in service all the time"


async def test_what_makes_no_sense_is_refused_by_name(bench: Bench) -> None:
    for device, seconds, code in [("none", 60.0, "no_such_device"), ("btn-1", 0.0, "service_length")]:
        with pytest.raises(BadCommandError) as bad:
            await bench.service.ask(device, actor="li", seconds=seconds, reason="x")
        assert bad.value.code == code
    with pytest.raises(BadCommandError):
        await bench.service.ask("btn-1", actor="li", seconds=timedelta(days=31).total_seconds(), reason="x")
    with pytest.raises(ConflictError, match="nobody asked"):
        await bench.confirm("btn-1", "wang")
    with pytest.raises(ConflictError, match="in service"):
        await bench.service.end("btn-1", actor="wang")
    await bench.take_out()
    with pytest.raises(ConflictError) as twice:
        await bench.confirm("btn-1", "zhao")
    assert (twice.value.code, twice.value.owner) == ("service_confirmed_already", "wang")
    with pytest.raises(ConflictError) as asked:
        await bench.service.ask("btn-1", actor="zhao", seconds=60, reason="x")
    assert asked.value.code == "service_asked_already"


async def test_what_took_the_place_of_the_request_that_was_seen_is_not_confirmed(bench: Bench) -> None:
    seen = await bench.service.ask("btn-1", actor="li", seconds=HOUR, reason="battery")
    await bench.service.end("btn-1", actor="li")
    bench.clock.advance(5)
    await bench.service.ask("btn-1", actor="li", seconds=30 * 24 * HOUR, reason="something else")
    with pytest.raises(ConflictError) as refused:
        await bench.service.confirm("btn-1", actor="wang", asked=seen.asked)
    assert refused.value.code == "service_other_request"
    assert not bench.service.all()[0].confirmed
