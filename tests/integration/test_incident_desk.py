"""The desk over real storage: each command once, who was first, crashes at every step, rebuilding from the journal."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from unit.incidents import memory
from unit.incidents.memory import START, face

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.events import (
    ButtonCleared,
    ButtonPressed,
    Event,
    FaceVerified,
    IncidentAcknowledged,
    IncidentEvent,
    IncidentOpened,
    PressKind,
)
from gateway.incidents import BadCommandError, ConflictError, IncidentDesk, NotFoundError, Policy, decide
from gateway.settings import StorageSettings
from gateway.storage import Incident, Stored, Stores, open_storage


def press(name: str, device: str = "btn-01", kind: PressKind = PressKind.PRESS) -> ButtonPressed:
    return memory.press(name, device, kind)


_OF_THE_JOURNAL = frozenset({"append", "append_all", "read", "find", "tail"})


class CrashError(Exception):
    """The process dies here."""


class FullDiskError(CrashError, TransientError):
    """A write fails for now; the process lives on."""


class Faulty:
    """The ports of the desk on real stores; the nth call fails, before or after it has done its work."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.calls = 0
        self.fail_at = 0
        self.after = False
        self.error: type[Exception] = CrashError

    @property
    def last_position(self) -> int:
        return self._stores.journal.last_position

    def subscribe(self) -> Any:
        return self._stores.journal.subscribe()

    async def _call(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self.calls += 1
        if self.calls == self.fail_at and not self.after:
            raise self.error("no room")
        result = await work(*arguments)
        if self.calls == self.fail_at and self.after:
            raise self.error("no room")
        return result

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        owner: Any = self._stores.journal if name in _OF_THE_JOURNAL else self._stores.incidents
        return lambda *arguments: self._call(getattr(owner, name), *arguments)


@dataclass
class Bench:
    stores: Stores
    clock: ManualClock
    ports: Any  # a Faulty, which is all ports at once
    desk: IncidentDesk
    told: list[tuple[str, Event]]

    async def restart(self) -> None:
        """A new process on the same state folder."""
        self.desk = IncidentDesk(self.ports, self.ports, self.clock, self._tell)
        await self.desk.load()

    def _tell(self, incident: Incident, event: Event) -> None:
        self.told.append((incident.id, event))

    async def press(self, *events: Event) -> None:
        for event in events:
            await self.stores.journal.append(event)
        await self.desk.catch_up()

    async def the_one(self) -> Incident:
        (incident,) = self.desk.unresolved()
        return incident

    async def journal(self) -> list[tuple[int, str, str]]:
        return [(each.position, each.event.TYPE, each.event.id) for each in await self.stores.journal.read(0, 10_000)]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(START)
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), clock)
    ports = Faulty(stores)
    try:
        bench = Bench(stores, clock, ports, None, [])  # type: ignore[arg-type]  # `restart` makes the desk
        await bench.restart()
        yield bench
    finally:
        await stores.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path / "state") as bench:
        yield bench


async def test_a_press_opens_an_incident_with_its_place_in_the_journal(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    assert (incident.state, incident.events, incident.triggers[0].event) == ("raised", (1, 2), "p1")
    assert await bench.stores.incidents.get(incident.id) == incident
    assert [type(event) for _id, event in bench.told] == [IncidentOpened]


async def test_who_acknowledges_second_is_told_who_was_first_and_when(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1", expected_state="raised")
    bench.clock.advance(3)
    with pytest.raises(ConflictError, match="already acknowledged by wang") as caught:
        await bench.desk.acknowledge(incident.id, actor="li", command_id="c2", expected_state="raised")
    assert (caught.value.state, caught.value.owner, caught.value.since) == ("acknowledged", "wang", START)


async def test_of_two_guards_at_the_same_moment_one_is_first(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    tries = [bench.desk.acknowledge(incident.id, actor=f"guard-{n}", command_id=f"c{n}") for n in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    (won,) = [each for each in results if isinstance(each, Incident)]
    lost = [each for each in results if isinstance(each, ConflictError)]
    assert len(lost) == 7
    assert {each.owner for each in lost} == {won.owner}


async def test_who_resolved_is_named_even_if_another_owned_it(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1")
    await bench.desk.resolve(incident.id, actor="li", command_id="c2", verdict="genuine")
    with pytest.raises(ConflictError, match="already resolved by li") as caught:
        await bench.desk.resolve(incident.id, actor="zhao", command_id="c3", verdict="genuine")
    assert caught.value.owner == "li"


async def test_the_same_command_again_answers_the_first_result_also_after_a_restart(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    first = await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1", expected_state="raised")
    await bench.desk.resolve(incident.id, actor="wang", command_id="c2", verdict="test", note="drill")
    before = await bench.journal()
    assert await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1", expected_state="raised") == first
    await bench.restart()
    assert await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1", expected_state="raised") == first
    assert await bench.journal() == before


async def test_a_double_click_is_one_transition(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    clicks = [bench.desk.acknowledge(incident.id, actor="wang", command_id="c1") for _ in range(5)]
    assert len({each.updated for each in await asyncio.gather(*clicks)}) == 1
    assert sum(isinstance(event, IncidentAcknowledged) for _id, event in bench.told) == 1


async def test_a_command_id_serves_one_command_only(bench: Bench) -> None:
    await bench.press(press("p1"), press("p2", "btn-02"))
    one, other = bench.desk.unresolved()
    await bench.desk.acknowledge(one.id, actor="wang", command_id="c1")
    with pytest.raises(BadCommandError):
        await bench.desk.acknowledge(other.id, actor="wang", command_id="c1")
    with pytest.raises(BadCommandError):
        await bench.desk.resolve(one.id, actor="wang", command_id="c1", verdict="genuine")
    assert (await bench.desk.get(other.id)).state == "raised"
    assert (await bench.desk.get(one.id)).state == "acknowledged"


async def test_commands_that_make_no_sense_are_refused(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = (await bench.the_one()).id
    with pytest.raises(NotFoundError):
        await bench.desk.acknowledge("nowhere", actor="wang", command_id="c1")
    with pytest.raises(BadCommandError, match="verdict"):
        await bench.desk.resolve(incident, actor="wang", command_id="c2", verdict="boring")
    with pytest.raises(BadCommandError, match="reason"):
        await bench.desk.resolve(incident, actor="wang", command_id="c3", verdict="genuine", force=True)
    with pytest.raises(BadCommandError, match="face"):
        await bench.desk.verify(incident, actor="wang", command_id="c4", verdict="confirmed")
    with pytest.raises(ConflictError):
        await bench.desk.dispatch(incident, actor="wang", command_id="c5", to="patrol")
    with pytest.raises(ConflictError):
        await bench.desk.acknowledge(incident, actor="wang", command_id="c6", expected_state="acknowledged")


async def test_a_press_that_the_desk_has_not_seen_counts_before_a_command(bench: Bench) -> None:
    await bench.press(press("p1"))
    incident = await bench.the_one()
    await bench.desk.acknowledge(incident.id, actor="wang", command_id="c1")
    await bench.stores.journal.append(press("p2"))
    with pytest.raises(ConflictError):
        await bench.desk.dispatch(incident.id, actor="wang", command_id="c2", expected_state="acknowledged")
    assert (await bench.desk.get(incident.id)).count == 2


async def test_a_silent_press_at_a_button_with_an_open_incident_is_an_incident_of_its_own(bench: Bench) -> None:
    await bench.press(press("p1"), press("p2", kind=PressKind.DURESS), press("p3", kind=PressKind.SILENT))
    loud, discreet = bench.desk.unresolved()
    assert (loud.discreet, loud.count) == (False, 1)
    assert (discreet.discreet, discreet.count) == (True, 2)


async def test_a_real_press_in_a_drill_is_real(bench: Bench) -> None:
    await bench.press(replace(press("p1"), drill=True), press("p2"), replace(press("p3"), drill=True))
    drill, real = bench.desk.unresolved()
    assert (drill.drill, drill.count) == (True, 2)
    assert (real.drill, real.count) == (False, 1)


async def test_faces_of_two_people_at_one_camera_are_two_incidents_also_after_a_restart(bench: Bench) -> None:
    await bench.press(face("f1"), face("f2", "person-2"))
    await bench.restart()
    await bench.press(face("f3"))
    assert sorted(each.count for each in bench.desk.unresolved()) == [1, 2]


async def test_a_face_warning_is_judged_once_unless_unsure(bench: Bench) -> None:
    await bench.press(face("f1"))
    incident = (await bench.the_one()).id
    await bench.desk.verify(incident, actor="wang", command_id="c1", verdict="unsure")
    judged = await bench.desk.verify(incident, actor="li", command_id="c2", verdict="rejected")
    assert (judged.verification, judged.state) == ("rejected", "raised")
    with pytest.raises(ConflictError, match="already judged rejected by li"):
        await bench.desk.verify(incident, actor="zhao", command_id="c3", verdict="confirmed")
    verified = [event for _id, event in bench.told if isinstance(event, FaceVerified)]
    assert [(each.match, each.camera, each.verdict, each.actor) for each in verified] == [
        ("f1", "cam-1", "unsure", "wang"),
        ("f1", "cam-1", "rejected", "li"),
    ]


async def test_an_output_that_fails_stops_no_incident(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_incident: Incident, _event: Event) -> None:
        raise RuntimeError("siren is stuck")

    bench.desk = IncidentDesk(bench.ports, bench.ports, bench.clock, fail)
    await bench.desk.load()
    await bench.press(press("p1"), press("p2", "btn-02"))
    assert len(bench.desk.unresolved()) == 2
    assert "an output failed" in caplog.text


# --- crashes


async def _step(bench: Bench, work: Callable[[], Awaitable[object]]) -> None:
    """Do it; if the process dies meanwhile, a new one does it again, as a client would."""
    try:
        await work()
    except CrashError:
        await bench.restart()
        await bench.desk.catch_up()
        await work()


async def _story(bench: Bench) -> None:
    append = bench.stores.journal.append

    def desk() -> IncidentDesk:
        return bench.desk

    await append(press("p1"))
    await _step(bench, lambda: desk().catch_up())
    one = (await bench.the_one()).id
    await _step(bench, lambda: desk().acknowledge(one, actor="wang", command_id="c1", expected_state="raised"))
    for event in (press("p2"), face("f1")):
        await append(event)
    await _step(bench, lambda: desk().catch_up())
    warning = next(each.id for each in desk().unresolved() if each.id != one)
    await _step(bench, lambda: desk().verify(warning, actor="li", command_id="c2", verdict="confirmed"))
    await _step(bench, lambda: desk().escalate(one, 1, "late"))
    await _step(bench, lambda: desk().acknowledge(one, actor="li", command_id="c3", expected_state="raised"))
    await append(ButtonCleared(id="x", source="/site/east/button/btn-01", subject="b", time=START, device="btn-01"))
    await _step(bench, lambda: desk().resolve(one, actor="li", command_id="c4", verdict="genuine", note="fight"))
    await append(press("p3"))
    await _step(bench, lambda: desk().note(one, actor="li", command_id="c5", note="report written"))
    await _step(bench, lambda: desk().catch_up())


async def _outcome(bench: Bench) -> tuple[list[tuple[int, str, str]], list[Incident]]:
    await bench.restart()
    await bench.desk.catch_up()
    return await bench.journal(), await bench.stores.incidents.list()


@pytest.mark.parametrize(
    ("error", "after", "every"),
    [(CrashError, True, 1), (FullDiskError, False, 2), (FullDiskError, True, 2)],  # a crash before a call is one after
    ids=["crash", "full before", "full after"],
)
async def test_a_fault_at_any_call_neither_loses_nor_doubles(
    tmp_path: Path, error: type[CrashError], after: bool, every: int
) -> None:
    async with opened(tmp_path / "whole") as bench:
        bench.ports.calls = 0
        await _story(bench)
        calls, expected = bench.ports.calls, await _outcome(bench)
    assert len([each for each in expected[0] if "incident" in each[1]]) == 9
    for number in range(1, calls + 1, every):
        async with opened(tmp_path / f"{number}") as bench:
            bench.ports.calls, bench.ports.fail_at, bench.ports.after = 0, number, after
            bench.ports.error = error
            await (_story(bench) if error is CrashError else _patient_story(bench))
            assert bench.ports.calls >= number
            assert await _outcome(bench) == expected, f"call {number}"


async def _patient_story(bench: Bench) -> None:
    """The same desk goes on after a fault that was only temporary."""

    async def restart() -> None:
        pass

    original, bench.restart = bench.restart, restart  # type: ignore[method-assign]  # the process does not die
    await _story(bench)
    bench.restart = original  # type: ignore[method-assign]  # back


async def test_rebuilding_gives_the_same_and_writes_and_tells_nothing(bench: Bench) -> None:
    chance = random.Random(7)  # a fixed sequence
    for number in range(120):
        for _ in range(chance.randrange(3)):
            name = f"{number}-{_}"
            event: Event = press(name, f"btn-{chance.randrange(3)}", chance.choice(list(PressKind)))
            await bench.stores.journal.append(event if chance.random() < 0.7 else face(name, f"p{chance.randrange(2)}"))
        if chance.random() < 0.4:
            await bench.desk.catch_up()
        for incident in chance.sample(bench.desk.unresolved(), min(1, len(bench.desk.unresolved()))):
            await _something(bench.desk, incident, f"c{number}", chance)
    await bench.desk.catch_up()
    before, known = await bench.journal(), await bench.stores.incidents.list(limit=1000)
    assert len(known) > 20
    bench.told.clear()
    await bench.desk.rebuild()
    assert await bench.journal() == before
    assert await bench.stores.incidents.list(limit=1000) == known
    assert bench.told == []
    await bench.press(press("new", "btn-9"))
    assert len(bench.told) == 1


async def _something(desk: IncidentDesk, incident: Incident, command: str, chance: random.Random) -> None:
    actions: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.acknowledge(incident.id, actor="wang", command_id=command),
        lambda: desk.dispatch(incident.id, actor="wang", command_id=command, to="patrol"),
        lambda: desk.note(incident.id, actor="wang", command_id=command, note="hm"),
        lambda: desk.resolve(incident.id, actor="wang", command_id=command, verdict="genuine"),
        lambda: desk.escalate(incident.id, incident.level + 1, "late"),
    ]
    with suppress(ConflictError):
        await chance.choice(actions)()


async def test_it_follows_a_journal_that_grows(bench: Bench) -> None:
    running = asyncio.create_task(bench.desk.run())
    try:
        stored = [await bench.stores.journal.append(press(f"p{n}", f"btn-{n}")) for n in range(5)]
        async with asyncio.timeout(10):
            while len(bench.desk.unresolved()) < len(stored):
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    opened = [each for each in await bench.stores.journal.read() if isinstance(each.event, IncidentOpened)]
    assert len(opened) == 5


async def test_what_a_former_run_left_undecided_is_decided_in_order(bench: Bench) -> None:
    """The first of two presses was decided before the crash, the second was not: one incident, not two."""
    first, _second = [await bench.stores.journal.append(press(name)) for name in ("p1", "p2")]
    await bench.stores.journal.append(decide(None, first, Policy())[0])
    events: list[Stored] = await bench.stores.journal.read()
    assert [isinstance(each.event, IncidentEvent) for each in events] == [False, False, True]
    await bench.restart()
    await bench.desk.catch_up()
    assert (await bench.the_one()).count == 2
