"""Incidents: list, detail with timeline and evidence, and the guards' commands."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from gateway.api.auth import PEOPLE_ROLES, Caller, Guard, Parts, record
from gateway.api.parts import ApiParts
from gateway.api.routes.events import item_of
from gateway.api.routes.session import Body
from gateway.events import ButtonPressed, FaceMatched
from gateway.storage import ClipState, Evidence, Incident

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


class Verify(Command):
    """A judgement of a face warning."""

    verdict: Literal["confirmed", "rejected", "unsure"]


def _brief(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "state": incident.state,
        "severity": incident.severity.value,
        "kind": incident.kind,
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
        "drill": incident.drill,
        "level": incident.level,
        "active": incident.active,
        "acknowledged": incident.acknowledged,
        "resolved": incident.resolved,
    }


@router.get("")
async def incidents(
    _caller: Caller,
    parts: Parts,
    state: Annotated[list[Literal["open", "raised", "acknowledged", "dispatched", "resolved"]] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: str | None = None,
) -> dict[str, Any]:
    """Incidents, newest first; ``state=open`` is all that are not resolved; `next` goes into `before`."""
    states = [each for name in state or () for each in (_OPEN if name == "open" else (name,))]
    found = await parts.stores.incidents.list(states, limit, before)
    return {"items": [_brief(each) for each in found], "next": found[-1].id if len(found) == limit else None}


@router.get("/{identity}")
async def incident(identity: str, caller: Caller, parts: Parts) -> dict[str, Any]:
    """One incident with its timeline, evidence, match and the cameras linked to its button."""
    return await _detail(parts, await parts.desk.get(identity), knows_people=caller.role in PEOPLE_ROLES)


async def _detail(parts: ApiParts, found: Incident, *, knows_people: bool) -> dict[str, Any]:
    timeline = [stored for position in found.events for stored in await parts.stores.journal.read(position - 1, 1)]
    evidence = [each for trigger in found.triggers for each in await parts.stores.evidence.of_event(trigger.event)]
    first = timeline[0].event if timeline else None
    return _brief(found) | {
        "timeline": [item_of(each) for each in timeline],
        "evidence": [_evidence(each, parts.stores.clips.state_of(each)) for each in evidence],
        "cameras": _linked_cameras(parts, first.device) if isinstance(first, ButtonPressed) else [],
        "match": await _match(parts, first, knows_people=knows_people) if isinstance(first, FaceMatched) else None,
        "procedure": "",
    }


def _evidence(found: Evidence, clip: ClipState | None) -> dict[str, Any]:
    about = {"id": found.id, "kind": found.kind, "camera": found.camera, "created": found.created}
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
    }
    if person is None:
        return about
    photos = [photo.id for photo in person.photos]
    return about | {"name": person.name, "category": person.category, "reason": person.reason, "photos": photos}


@router.post("/{identity}/acknowledge")
async def acknowledge(identity: str, body: Command, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Own an incident; who was first wins, the second is told who."""
    changed = await parts.desk.acknowledge(
        identity, actor=caller.name, command_id=body.command_id, expected_state=body.expected_state
    )
    return await _done(parts, caller.name, "acknowledged incident", changed)


@router.post("/{identity}/dispatch")
async def dispatch(identity: str, body: Dispatch, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Say who was sent."""
    changed = await parts.desk.dispatch(
        identity, actor=caller.name, command_id=body.command_id, to=body.to, expected_state=body.expected_state
    )
    return await _done(parts, caller.name, "dispatched incident", changed)


@router.post("/{identity}/note")
async def note(identity: str, body: Note, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Add a remark."""
    changed = await parts.desk.note(
        identity, actor=caller.name, command_id=body.command_id, note=body.note, expected_state=body.expected_state
    )
    return await _done(parts, caller.name, "noted incident", changed)


@router.post("/{identity}/resolve")
async def resolve(identity: str, body: Resolve, caller: Guard, parts: Parts) -> dict[str, Any]:
    """End an incident with a verdict."""
    changed = await parts.desk.resolve(
        identity,
        actor=caller.name,
        command_id=body.command_id,
        verdict=body.verdict,
        note=body.note,
        force=body.force,
        reason=body.reason,
        expected_state=body.expected_state,
    )
    return await _done(parts, caller.name, "resolved incident", changed)


@router.post("/{identity}/verify")
async def verify(identity: str, body: Verify, caller: Guard, parts: Parts) -> dict[str, Any]:
    """Judge a face warning: confirmed, rejected or unsure."""
    changed = await parts.desk.verify(
        identity,
        actor=caller.name,
        command_id=body.command_id,
        verdict=body.verdict,
        expected_state=body.expected_state,
    )
    return await _done(parts, caller.name, f"verified incident as {body.verdict}", changed)


async def _done(parts: ApiParts, caller: str, action: str, changed: Incident) -> dict[str, Any]:
    await record(parts, caller, action, changed.id)
    return _brief(changed)
