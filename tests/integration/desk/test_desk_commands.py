"""The desk over real storage: each command once, who was first, what belongs together."""

import asyncio
from dataclasses import replace

import pytest
from integration.desk.bench import Bench, press
from unit.incidents.memory import START, face

from gateway.events import Event, FaceVerified, IncidentAcknowledged, IncidentOpened, PressKind
from gateway.incidents import BadCommandError, ConflictError, IncidentDesk, NotFoundError
from gateway.storage import Incident


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
