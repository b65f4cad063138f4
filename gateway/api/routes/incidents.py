"""Incidents: list, detail with timeline and evidence, and the guards' commands."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from gateway.api.auth import PEOPLE_ROLES, Caller, Guard, Parts, Principal, record
from gateway.api.figures import is_rarer_than_monthly, told_rate
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.routes.events import item_of
from gateway.api.routes.session import Body
from gateway.events import ButtonPressed, FaceMatched, GatewayFault
from gateway.incidents import By, NotFoundError, is_group, procedure_for
from gateway.storage import ClipState, Evidence, Incident, Stored

router = APIRouter(prefix="/incidents")
_OPEN = ("raised", "acknowledged", "dispatched")
State = Literal["raised", "acknowledged", "dispatched", "resolved"]
Text = Annotated[str, StringConstraints(max_length=2000)]


class Command(Body):
    """What every command carries.

    Attributes:
        command_id: the client's own; the same one again answers the first result.
        expected_state: the state that the sender saw; another one is a conflict.
    """

    command_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    expected_state: State | None = None


class Dispatch(Command):
    """Who was sent."""

    to: Annotated[str, StringConstraints(max_length=200)] = ""


class Note(Command):
    """A remark."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Resolve(Command):
    """The end of an incident."""

    verdict: Literal["genuine", "false_alarm", "test", "duplicate"]
    note: Text = ""
    force: bool = False
    reason: Text = ""


class Shelve(Command):
    """Put aside for a time."""

    minutes: Annotated[float, Field(gt=0, le=480)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Check(Command):
    """A step of the procedure."""

    step: Annotated[str, StringConstraints(min_length=1, max_length=8)]
    done: bool = True


class Verify(Command):
    """A judgement of a face warning."""

    verdict: Literal["confirmed", "rejected", "unsure"]


def _brief(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "state": incident.state,
        "severity": incident.severity.value,
        "kind": incident.kind,
        "fault": _fault_of(incident),
        "source": incident.source,
        "title": incident.title,
        "place": incident.place,
        "opened": incident.opened,
        "updated": incident.updated,
        "owner": incident.owner,
        "count": incident.count,
        "verdict": incident.verdict,
        "verification": incident.verification,
        "discreet": incident.discreet,
        "press": incident.press,
        "out_of_service": incident.out_of_service,
        "late": asdict(incident.late) if incident.late else None,
        "drill": incident.drill,
        "level": incident.level,
        "active": incident.active,
        "acknowledged": incident.acknowledged,
        "resolved": incident.resolved,
        "triggered": incident.triggered,
        "lasting": incident.lasting,
        "during_drill": incident.during_drill,
        "hidden": len(incident.hidden) if not is_group(incident) else 0,
        "group": is_group(incident),
        "shelf": asdict(incident.shelf) if incident.shelf else None,
    }


def _fault_of(incident: Incident) -> str:
    """Which fault of the gateway opened it; empty if it was something else."""
    if incident.kind != GatewayFault.TYPE:
        return ""
    return incident.key.removeprefix("drill ").partition(" ")[0]


@router.get("")
async def incidents(
    caller: Caller,
    parts: Parts,
    state: Annotated[list[Literal["open", "raised", "acknowledged", "dispatched", "resolved"]] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: str | None = None,
) -> dict[str, Any]:
    """Incidents, newest first; ``state=open`` is all that are not resolved; `next` goes into `before`.

    A browser that is no post marked discreet-safe is not told of those of silent and duress presses.
    """
    states = [each for name in state or () for each in (_OPEN if name == "open" else (name,))]
    found = await parts.stores.incidents.list(states, limit, before, discreet=caller.sees_discreet)
    return {"items": [_brief(each) for each in found], "next": found[-1].id if len(found) == limit else None}


@router.get("/{identity}")
async def incident(identity: str, caller: Caller, parts: Parts) -> dict[str, Any]:
    """One incident with its timeline, evidence, match, procedure and the cameras linked to its button.

    `lost` counts the entries of its timeline that are in the journal no more, because a damaged file was put aside.
    """
    return await _detail(parts, await _find(parts, identity, caller), knows_people=caller.role in PEOPLE_ROLES)


async def _find(parts: ApiParts, identity: str, caller: Principal) -> Incident:
    """An incident; one of a silent or duress press is not there for a screen that may not show it.

    Raises:
        NotFoundError: there is none.
    """
    found = await parts.desk.get(identity)
    if found.discreet and not caller.sees_discreet:
        raise NotFoundError("there is no such incident", where=f"incident {identity}")
    return found


async def _detail(parts: ApiParts, found: Incident, *, knows_people: bool) -> dict[str, Any]:
    timeline = _own(found, await parts.stores.journal.at(found.events))
    evidence = [each for trigger in found.triggers for each in await parts.stores.evidence.of_event(trigger.event)]
    first = timeline[0].event if timeline else None
    return _brief(found) | {
        "timeline": [_step(each, found) for each in timeline],
        "lost": len(found.events) - len(timeline),
        "evidence": [_evidence(each, parts.stores.clips.state_of(each)) for each in evidence],
        "cameras": _linked_cameras(parts, first.device) if isinstance(first, ButtonPressed) else [],
        "match": await _match(parts, first, knows_people=knows_people) if isinstance(first, FaceMatched) else None,
        "procedure": _procedure(parts, found),
    }


def _own(incident: Incident, stored: list[Stored]) -> list[Stored]:
    """Events of an incident without one that took a trigger's place, as in a journal put there by hand."""
    triggers = {each.position: each.event for each in incident.triggers}
    return [each for each in stored if triggers.get(each.position, each.event.id) == each.event.id]


def _step(stored: Stored, incident: Incident) -> dict[str, Any]:
    """An event of the timeline; the trigger that was first is marked (first-out)."""
    first = stored.position == incident.triggers[0].position
    return item_of(stored) | ({"first": True} if first else {})


def _procedure(parts: ApiParts, incident: Incident) -> dict[str, Any] | None:
    found = procedure_for(incident, parts.settings.procedures)
    if found is None:
        return None
    done = {each.step: {"by": each.actor, "at": each.at} for each in incident.checks}
    numbered = [(str(number), text) for number, text in enumerate(found.steps, start=1)]
    steps = [{"step": step, "text": text, "done": done.get(step)} for step, text in numbered]
    return {"id": found.id, "title": found.title, "steps": steps}


def _evidence(found: Evidence, clip: ClipState | None) -> dict[str, Any]:
    about = {"id": found.id, "kind": found.kind, "camera": found.camera, "created": found.created}
    if found.first_seen is not None:
        about |= {"first_seen": found.first_seen, "last_seen": found.last_seen}
    return about | ({} if clip is None else {"clip": asdict(clip)})


def _linked_cameras(parts: ApiParts, device: str) -> list[str]:
    return [camera for each in parts.installation.devices.all() if each.id == device for camera in each.linked_cameras]


async def _match(parts: ApiParts, event: FaceMatched, *, knows_people: bool) -> dict[str, Any]:
    """The match as it was found; who it is only for those who may read the watch-list."""
    person = await parts.stores.watchlist.get(event.person) if knows_people else None
    about = {
        "person": event.person,
        "category": event.category,
        "distance": event.distance,
        "threshold": event.threshold,
        "margin": event.margin,
        "looks": event.looks,
        "face_height": event.face_height,
        "quality": event.quality,
        "model": event.model,
        "detector": event.detector,
        "score": event.score,
        "median_distance": event.median_distance,
        "face_size": event.face_size,
        "people": event.people,
        "list_revision": event.list_revision,
        "expected": _expected(event),
    }
    if person is None:
        return about
    photos = [photo.id for photo in person.photos]
    return about | {"name": person.name, "category": person.category, "reason": person.reason, "photos": photos}


def _expected(event: FaceMatched) -> dict[str, Any] | None:
    """What the threshold in use was expected to cost when the warning came; None if nobody had said."""
    per_day = event.false_warnings_per_day
    if per_day is None:
        return None
    return {
        "false_warnings_per_day": told_rate(per_day),
        "fewer_than_one_a_month": is_rarer_than_monthly(per_day),
        "basis": event.threshold_basis,
    }


async def _by(parts: ApiParts, identity: str, body: Command, caller: Principal) -> By:
    """Who gives a command; a screen that may not show an incident cannot treat it."""
    await _find(parts, identity, caller)
    post = caller.post.name if caller.post else ""
    return {
        "actor": caller.name,
        "command_id": body.command_id,
        "expected_state": body.expected_state,
        "post": post,
    }


@router.post("/{identity}/acknowledge")
async def acknowledge(identity: str, body: Command, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Own an incident; who was first wins, the second is told who."""
    changed = await parts.desk.acknowledge(identity, **await _by(parts, identity, body, caller))
    return await _done(parts, caller.name, "acknowledged incident", changed)


@router.post("/{identity}/dispatch")
async def dispatch(identity: str, body: Dispatch, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Say who was sent."""
    changed = await parts.desk.dispatch(identity, to=body.to, **await _by(parts, identity, body, caller))
    return await _done(parts, caller.name, "dispatched incident", changed)


@router.post("/{identity}/note")
async def note(identity: str, body: Note, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Add a remark."""
    changed = await parts.desk.note(identity, note=body.note, **await _by(parts, identity, body, caller))
    return await _done(parts, caller.name, "noted incident", changed)


@router.post("/{identity}/check")
async def check(identity: str, body: Check, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Say that a step of the procedure is done, or is not after all."""
    by = await _by(parts, identity, body, caller)
    procedure = procedure_for(await parts.desk.get(identity), parts.settings.procedures)
    steps = procedure.steps if procedure is not None else ()
    if procedure is None or not body.step.isdecimal() or not 1 <= int(body.step) <= len(steps):
        raise Problem(422, "there is no such step in the procedure", code="no_such_step", where=f"step {body.step}")
    step = str(int(body.step))
    changed = await parts.desk.check(
        identity, procedure=procedure.id, step=step, text=steps[int(step) - 1], done=body.done, **by
    )
    return await _done(parts, caller.name, "checked a step of incident", changed)


@router.post("/{identity}/resolve")
async def resolve(identity: str, body: Resolve, caller: Guard, parts: Parts) -> dict[str, Any]:
    """End an incident with a verdict; by force, with a reason, while its source says that the condition goes on."""
    by = await _by(parts, identity, body, caller)
    role = parts.settings.incidents.forced_resolve
    if body.force and caller.role not in (role, "admin"):
        detail = f"the role {caller.role} may not resolve by force"
        needs = f"It needs {role}."
        raise Problem(403, detail, code="role_not_allowed", role=caller.role, needs=[role], remedy=needs)
    changed = await parts.desk.resolve(
        identity, verdict=body.verdict, note=body.note, force=body.force, reason=body.reason, **by
    )
    return await _done(parts, caller.name, "resolved incident", changed)


@router.post("/{identity}/shelve")
async def shelve(identity: str, body: Shelve, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Put an incident aside for a time, with a reason; never an emergency."""
    by = await _by(parts, identity, body, caller)
    changed = await parts.desk.shelve(identity, seconds=body.minutes * 60, reason=body.reason, **by)
    return await _done(parts, caller.name, "shelved incident", changed)


@router.post("/{identity}/unshelve")
async def unshelve(identity: str, body: Command, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Take a shelved incident back before its time."""
    changed = await parts.desk.unshelve(identity, **await _by(parts, identity, body, caller))
    return await _done(parts, caller.name, "unshelved incident", changed)


@router.post("/{identity}/real", status_code=202)
async def real(identity: str, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Say that a drill's press was real: it is told anew, to everybody, and opens its own incident."""
    found = await _find(parts, identity, caller)
    stored = await parts.drills.make_real(found.triggers[-1].event)
    await record(parts, caller.name, "said that a drill's press is real", identity)
    return {"event": stored.event.id, "position": stored.position}


@router.post("/{identity}/verify")
async def verify(identity: str, body: Verify, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Judge a face warning: confirmed, rejected or unsure."""
    changed = await parts.desk.verify(identity, verdict=body.verdict, **await _by(parts, identity, body, caller))
    return await _done(parts, caller.name, f"verified incident as {body.verdict}", changed)


async def _done(parts: ApiParts, caller: str, action: str, changed: Incident) -> dict[str, Any]:
    await record(parts, caller, action, changed.id)
    return _brief(changed)
