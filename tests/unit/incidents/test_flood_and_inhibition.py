"""Floods, groups, losses that explain others, and what is shelved: rules of ISA-18.2, and never a press hidden."""

from dataclasses import replace

import pytest
from unit.incidents.memory import MemoryJournal, MemoryStore, face, lost, press, restored

from gateway.clock import ManualClock
from gateway.events import (
    DestinationFailing,
    DestinationRecovered,
    DrillEnded,
    Event,
    FloodEnded,
    FloodStarted,
    IncidentEscalated,
    IncidentResolved,
    PressKind,
    Severity,
)
from gateway.incidents import BadCommandError, ConflictError, IncidentDesk, Policy, is_group
from gateway.storage import Incident

POLICY = Policy(
    flood_incidents=3,
    flood_calm=2,
    flood_window_seconds=600,
    inhibitions={"power": frozenset({"btn-1", "btn-2"})},
)


class Bench:
    """A desk over memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.journal = MemoryJournal(self.clock)
        self.store = MemoryStore()
        self.desk = IncidentDesk(self.journal, self.store, self.clock, policy=POLICY)
        self.command = 0

    async def take(self, *events: Event, seconds: float = 1.0) -> None:
        for event in events:
            self.clock.advance(seconds)
            await self.journal.append(replace(event, time=self.clock.now()))
            await self.desk.catch_up()

    async def do(self, verb: str, incident: str, **more: object) -> Incident:
        self.command += 1
        done: Incident = await getattr(self.desk, verb)(incident, actor="wang", command_id=f"c{self.command}", **more)
        await self.desk.catch_up()
        return done

    def open(self, kind: str = "") -> list[Incident]:
        return [each for each in self.desk.unresolved() if kind in each.kind]

    async def restart(self) -> None:
        self.desk = IncidentDesk(self.journal, self.store, self.clock, policy=POLICY)
        await self.desk.load()

    def in_flood(self) -> bool:
        return self.desk.situation.flood

    def told(self, kind: type[Event]) -> list[Event]:
        return [each.event for each in self.journal.stored if isinstance(each.event, kind)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def flood(bench: Bench) -> None:
    await bench.take(*(lost(f"l{number}", f"dev-{number}") for number in range(4)))


# --- flood


async def test_more_incidents_than_the_limit_are_one_flood(bench: Bench) -> None:
    await bench.take(*(lost(f"l{number}", f"dev-{number}") for number in range(3)))
    assert bench.told(FloodStarted) == []
    await flood(bench)
    (started,) = bench.told(FloodStarted)
    assert isinstance(started, FloodStarted)
    assert (started.count, started.first) == (4, bench.open()[0].id)
    assert bench.in_flood()


async def test_in_a_flood_losses_are_grouped_by_place_and_the_first_stays_first(bench: Bench) -> None:
    await flood(bench)
    await bench.take(*(lost(f"m{number}", f"more-{number}") for number in range(496)))
    assert len(bench.told(FloodStarted)) == 1
    (group,) = [each for each in bench.open() if is_group(each)]
    assert (group.count, len(group.hidden), group.triggers[0].event) == (496, 496, "m0")
    assert len(bench.open()) == 5


async def test_a_loss_of_500_at_500_places_is_one_flood_and_few_cards(bench: Bench) -> None:
    losses = (replace(lost(f"l{number}", f"dev-{number}"), place=f"room {number}") for number in range(500))
    await bench.take(*losses)
    assert len(bench.told(FloodStarted)) == 1
    assert len(bench.open()) == 4 + 5 + 1
    everywhere = bench.open()[-1]
    assert (everywhere.count, everywhere.place) == (491, "room 9 …")
    await bench.take(press("p1", "dev-1"))
    assert len(bench.open("pressed")) == 1


async def test_in_a_flood_every_press_stands_alone(bench: Bench) -> None:
    await flood(bench)
    kinds = [PressKind.PRESS, PressKind.SILENT, PressKind.DURESS]
    await bench.take(*(press(f"p{number}", f"btn-{number}", kind) for number, kind in enumerate(kinds)))
    presses = bench.open("button.pressed")
    assert len(presses) == 3
    assert not any(is_group(each) for each in presses)


async def test_what_has_an_incident_already_joins_that_and_no_group(bench: Bench) -> None:
    await bench.take(face("f1"))
    await flood(bench)
    await bench.take(face("f2"), face("f3", "p2"))
    alone, group = bench.open("face")
    assert (alone.count, is_group(alone), is_group(group)) == (2, False, True)


async def test_a_silent_press_is_no_part_of_what_every_post_is_told(bench: Bench) -> None:
    presses = (press(f"p{number}", f"btn-{number}", PressKind.SILENT) for number in range(9))
    await bench.take(*presses)
    assert bench.told(FloodStarted) == []


async def test_a_flood_ends_once_few_came_for_a_whole_window(bench: Bench) -> None:
    await flood(bench)
    bench.clock.advance(500)
    await bench.desk.end_flood()
    assert bench.in_flood()
    bench.clock.advance(101)
    await bench.desk.end_flood()
    assert not bench.in_flood()
    assert len(bench.told(FloodEnded)) == 1
    await bench.take(lost("later", "dev-9"))
    assert not is_group(bench.open()[-1])
    await bench.restart()
    await bench.take(lost("still later", "dev-10"))
    assert not bench.in_flood()
    assert not is_group(bench.open()[-1])


async def test_a_group_is_over_when_all_of_it_is(bench: Bench) -> None:
    await flood(bench)
    await bench.take(lost("a", "x-1"), lost("b", "x-2"), restored("r1", "x-1"))
    (group,) = [each for each in bench.open() if is_group(each)]
    assert group.active
    await bench.do("acknowledge", group.id)
    await bench.take(restored("r2", "x-2"))
    assert (await bench.desk.get(group.id)).state == "resolved"


# --- losses that end by themselves


async def test_a_loss_that_is_over_stays_until_somebody_has_seen_it(bench: Bench) -> None:
    await bench.take(lost("l1"), restored("r1"))
    (incident,) = bench.open()
    assert (incident.active, incident.state) == (False, "raised")
    await bench.do("acknowledge", incident.id)
    ended = await bench.desk.get(incident.id)
    assert (ended.state, ended.verdict) == ("resolved", "genuine")


async def test_a_loss_that_was_acknowledged_ends_when_it_is_over(bench: Bench) -> None:
    await bench.take(lost("l1"))
    (incident,) = bench.open()
    await bench.do("acknowledge", incident.id)
    await bench.take(restored("r1"))
    assert bench.open() == []
    (resolved,) = bench.told(IncidentResolved)
    assert isinstance(resolved, IncidentResolved)
    assert (resolved.actor, resolved.reason) == ("", "the condition is over")


async def test_a_press_never_ends_by_itself(bench: Bench) -> None:
    await bench.take(press("p1"), lost("l1"), restored("r1"))
    (incident,) = bench.open("pressed")
    await bench.do("acknowledge", incident.id)
    await bench.take(restored("r2"))
    assert incident.id in {each.id for each in bench.open()}


async def test_who_is_called_out_is_told_what_happened_and_where(bench: Bench) -> None:
    """A call-out gets escalations and nothing else: an id alone sends nobody anywhere."""
    await bench.take(replace(press("p1"), place="东门"))
    (incident,) = bench.open()
    await bench.desk.escalate(incident.id, 1, "late")
    escalated = bench.journal.stored[-1].event
    assert isinstance(escalated, IncidentEscalated)
    assert (escalated.kind, escalated.place, escalated.title) == (incident.kind, "东门", incident.title)


async def test_who_presses_on_and_on_does_not_begin_the_escalation_anew(bench: Bench) -> None:
    await bench.take(press("p1"))
    raised = bench.open()[0].raised
    await bench.desk.escalate(bench.open()[0].id, 1, "late")
    await bench.take(press("p2"), press("p3"))
    (incident,) = bench.open()
    assert (incident.raised, incident.level, incident.count) == (raised, 1, 3)
    await bench.do("acknowledge", incident.id)
    await bench.take(press("p4"))
    (incident,) = bench.open()
    assert (incident.state, incident.level) == ("raised", 0)
    assert incident.raised > raised  # type: ignore[operator]  # both are moments


# --- inhibition


async def test_losses_behind_another_are_counted_on_it(bench: Bench) -> None:
    await bench.take(lost("cause", "power"), lost("l1", "btn-1"), lost("l2", "btn-2"), lost("l3", "btn-3"))
    cause, other = bench.open()
    assert (cause.subject != other.subject, len(cause.hidden), cause.count) == (True, 2, 1)
    await bench.take(restored("r1", "btn-1"))
    assert [each.event for each in bench.open()[0].hidden] == ["l2"]


async def test_what_lasts_longer_than_its_cause_opens_its_own(bench: Bench) -> None:
    await bench.take(lost("cause", "power"), lost("l1", "btn-1"), lost("l2", "btn-2"), restored("r2", "btn-2"))
    await bench.take(restored("back", "power"))
    cause, own = bench.open()
    assert (cause.active, cause.hidden) == (False, ())
    assert (own.source.rsplit("/", 1)[-1], own.triggers[0].event) == ("btn-1", "l1")


async def test_so_does_it_if_the_cause_was_resolved(bench: Bench) -> None:
    await bench.take(lost("cause", "power"), lost("l1", "btn-1"))
    await bench.do("resolve", bench.open()[0].id, verdict="genuine")
    (own,) = bench.open()
    assert own.triggers[0].event == "l1"


@pytest.mark.parametrize("kind", list(PressKind))
async def test_a_press_is_never_inhibited(bench: Bench, kind: PressKind) -> None:
    await bench.take(lost("cause", "power"), press("p1", "btn-1", kind))
    assert len(bench.open("pressed")) == 1


# --- shelf


async def test_what_is_shelved_is_not_raised_by_more_of_the_same(bench: Bench) -> None:
    await bench.take(face("f1"))
    (incident,) = bench.open()
    await bench.do("acknowledge", incident.id)
    await bench.do("shelve", incident.id, seconds=3600, reason="workers at the gate")
    await bench.take(face("f2"))
    (shelved,) = bench.open()
    assert (shelved.state, shelved.count) == ("acknowledged", 2)
    assert shelved.shelf is not None
    await bench.desk.end_shelf(incident.id)
    assert bench.open()[0].shelf is None


async def test_something_worse_breaks_out_of_the_shelf(bench: Bench) -> None:
    await bench.take(face("f1"))
    await bench.do("shelve", bench.open()[0].id, seconds=3600, reason="workers")
    await bench.take(replace(face("f2"), severity=Severity.CRITICAL))
    assert [each.shelf is None for each in bench.open()] == [False, True]


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, "r"), (8 * 3600 + 1, "r"), (60, ""), (60, "  ")], ids=["none", "long", "empty", "blank"]
)
async def test_shelving_needs_a_time_and_a_reason(bench: Bench, seconds: float, reason: str) -> None:
    await bench.take(face("f1"))
    with pytest.raises(BadCommandError):
        await bench.do("shelve", bench.open()[0].id, seconds=seconds, reason=reason)


async def test_what_is_not_shelved_cannot_be_taken_back(bench: Bench) -> None:
    await bench.take(face("f1"))
    with pytest.raises(ConflictError, match="not shelved"):
        await bench.do("unshelve", bench.open()[0].id)


# --- the end of a drill


async def test_incidents_of_a_drill_end_with_it_and_real_ones_do_not(bench: Bench) -> None:
    await bench.take(press("p1", drill=True), press("p2"))
    common = {"source": "/g", "subject": "drill", "time": bench.clock.now(), "drill": True, "drill_id": "d"}
    await bench.take(DrillEnded(id="end", **common))  # type: ignore[arg-type]  # as above
    (real,) = bench.open()
    assert not real.drill
    await bench.take(press("p3", "btn-2", drill=True))
    assert len(bench.open()) == 2


async def test_a_time_out_raises_again_once(bench: Bench) -> None:
    await bench.take(press("p1"))
    incident = bench.open()[0].id
    await bench.do("acknowledge", incident)
    bench.clock.advance(180)
    await bench.desk.time_out(incident)
    length = bench.journal.last_position
    await bench.desk.time_out(incident)
    again = await bench.desk.get(incident)
    assert (again.state, again.owner, again.count, bench.journal.last_position) == ("raised", "wang", 1, length)
    await bench.desk.catch_up()
    assert again.triggers == (await bench.desk.get(incident)).triggers


# --- destinations


async def test_each_failing_destination_has_its_incident_and_ends_with_it(bench: Bench) -> None:
    common = {"source": "/site/east/gateway", "time": bench.clock.now(), "severity": Severity.HIGH}
    failing = [
        DestinationFailing(id=f"f {name}", subject=name, destination=name, reason="away", **common)  # type: ignore[arg-type]  # as above
        for name in ("office", "police")
    ]
    await bench.take(*failing)
    office, police = bench.open()
    assert office.source == "/site/east/gateway#office"
    await bench.do("acknowledge", office.id)
    await bench.do("acknowledge", police.id)
    recovered = DestinationRecovered(id="r", subject="office", destination="office", **common)  # type: ignore[arg-type]  # as above
    await bench.take(recovered)
    assert bench.open() == [await bench.desk.get(police.id)]


async def test_a_loss_that_nothing_explains_any_more_in_a_flood_is_in_its_group(bench: Bench) -> None:
    await bench.take(lost("cause", "power"), lost("behind", "btn-1"))
    await flood(bench)
    await bench.take(lost("m1", "more-1"))
    await bench.take(restored("back", "power"))
    (group,) = [each for each in bench.open() if is_group(each)]
    assert [each.event for each in group.hidden][-2:] == ["m1", "behind"]
    (cause,) = [each for each in bench.open() if each.source.endswith("power")]
    assert (cause.hidden, cause.active) == ((), False)
    count = bench.journal.last_position
    await bench.restart()
    await bench.desk.catch_up()
    assert bench.journal.last_position == count
