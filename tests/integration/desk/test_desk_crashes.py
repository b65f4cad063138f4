"""The desk over real storage: faults at every call, rebuilding from the journal, following it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from integration.desk.bench import Bench, CrashError, FullDiskError, opened, press
from unit.incidents.memory import START, face

from gateway.events import ButtonCleared, Event, IncidentEvent, IncidentOpened, PressKind
from gateway.incidents import ConflictError, IncidentDesk, Policy, decide
from gateway.storage import Incident, Stored


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
