"""Around the incidents: drills, the guards' posts, outputs at the place, and the state of the whole site."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field, StringConstraints, model_validator

from gateway.api.auth import PEOPLE_ROLES, Admin, Caller, Parts, Principal, post_cookie_name, record
from gateway.api.drill_report import csv_of
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.routes.session import Body
from gateway.incidents import Drill
from gateway.storage import Post, new_token

router = APIRouter()
_MINUTES = 30.0
_POST_COOKIE_SECONDS = 10 * 365 * 86_400
Fields = dict[str, Any]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class NewDrill(Body):
    """A drill to begin.

    Attributes:
        until, minutes: when it ends by itself: a moment (RFC 3339, with zone) or so long from now; half an hour if
            neither is given, four hours at the most.
        devices: alarm devices of which the next loud press each belongs to the drill. Every other press is real.
        note: what is drilled.
    """

    until: datetime | None = None
    minutes: Annotated[float, Field(gt=0, le=240)] | None = None
    devices: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    note: Annotated[str, StringConstraints(max_length=500)] = ""

    @model_validator(mode="after")
    def _one_end(self) -> "NewDrill":
        if self.until is not None and self.minutes is not None:
            raise ValueError("give until or minutes, not both")
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("until has no zone; write it after RFC 3339, with Z or an offset")
        return self

    def seconds(self, now: datetime) -> float:
        """How long it lasts."""
        if self.until is not None:
            return (self.until - now) / timedelta(seconds=1)
        return 60 * (self.minutes or _MINUTES)


class DrillPress(Body):
    """A press of a drill, without touching the button."""

    command_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    device: Name


class NewPost(Body):
    """A browser that becomes a post."""

    name: Name
    place: Annotated[str, StringConstraints(max_length=200)] = ""
    discreet_safe: bool = False


class PostChange(Body):
    """What changes of a post."""

    name: Name | None = None
    place: Annotated[str, StringConstraints(max_length=200)] | None = None
    discreet_safe: bool | None = None


class Heartbeat(Body):
    """A console is there; `sound`: whether its browser can sound now."""

    sound: bool


def _drill(drill: Drill) -> Fields:
    body = asdict(drill)
    return body | {"pressed": sorted(drill.pressed), "devices": list(drill.devices)}


def _takers(parts: ApiParts) -> Fields:
    """What each destination gets of a drill."""
    known = parts.installation.destinations.all()
    return {each.id: "withheld" if each.audience == "police" else "marked" for each in known}


@router.get("/drill")
async def drill(_caller: Caller, parts: Parts) -> Fields:
    """The drill that is on, with its times so far; and who gets what of a drill."""
    current = parts.drills.current
    times = await parts.drills.times(current) if current is not None else []
    shown = _drill(current) if current is not None else None
    return {"active": current is not None, "drill": shown, "times": times, "destinations": _takers(parts)}


@router.post("/drill", status_code=201)
async def start_drill(body: NewDrill, caller: Admin, parts: Parts) -> Fields:
    """Begin a drill: marked end to end, never told to the police, over by itself."""
    seconds = body.seconds(parts.clock.now())
    begun = await parts.drills.start(actor=caller.name, seconds=seconds, devices=body.devices, note=body.note)
    await record(parts, caller.name, "began drill", begun.id, ", ".join(begun.devices))
    return {"active": True, "drill": _drill(begun), "destinations": _takers(parts)}


@router.delete("/drill")
async def end_drill(caller: Admin, parts: Parts) -> Fields:
    """End the drill; its report."""
    ended = await parts.drills.end(actor=caller.name)
    await record(parts, caller.name, "ended drill", ended.id)
    return {"active": False, "drill": _drill(ended), "times": await parts.drills.times(ended)}


@router.post("/drill/press", status_code=202)
async def press_in_drill(body: DrillPress, caller: Admin, parts: Parts) -> Fields:
    """Press a button for the drill, without touching it."""
    stored = await parts.drills.press(body.device, actor=caller.name, command_id=body.command_id)
    await record(parts, caller.name, "pressed in drill", body.device)
    return {"event": stored.event.id, "position": stored.position}


@router.get("/drills")
async def drills(_caller: Caller, parts: Parts, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> Fields:
    """The newest drills with their reports."""
    past = await parts.drills.past(limit)
    return {"items": [_drill(each) | {"times": await parts.drills.times(each)} for each in past]}


@router.get("/drills/{identity}/report.csv", response_class=PlainTextResponse)
async def drill_report(identity: str, _caller: Caller, parts: Parts) -> PlainTextResponse:
    """The report of a drill for people and spreadsheets."""
    found = await parts.drills.get(identity)
    text = csv_of(found, await parts.drills.times(found), parts.settings.gateway.site)
    name = f'attachment; filename="drill-{found.started.astimezone():%Y%m%d-%H%M}.csv"'
    return PlainTextResponse(text, headers={"Content-Disposition": name}, media_type="text/csv")


@router.get("/situation")
async def situation(caller: Caller, parts: Parts) -> Fields:
    """What every post must know: drill, flood, and which post this browser is."""
    now, current = parts.desk.situation, parts.drills.current
    return {
        "flood": now.flood,
        "first": now.first,
        "grouped": now.grouped,
        "drill": _drill(current) if current is not None else None,
        "post": _post(caller.post) if caller.post is not None else None,
        "sees_discreet": caller.sees_discreet,
    }


def _post(post: Post) -> Fields:
    return {name: value for name, value in asdict(post).items() if name != "key"}


@router.get("/posts")
async def posts(caller: Caller, parts: Parts) -> Fields:
    """Every enrolled post, and every console that is there now, with its sound."""
    present = parts.posts.present()
    items = [_post(each) | {"live": _live(parts, each.id)} for each in parts.posts.all()]
    others = [{"user": each.user, "sound": each.sound, "seen": each.seen} for each in present if not each.post]
    return {"items": items, "others": others, "this": caller.post.id if caller.post else None}


def _live(parts: ApiParts, post: str) -> Fields | None:
    there = [each for each in parts.posts.present() if each.post == post]
    if not there:
        return None
    newest = max(there, key=lambda each: each.seen)
    return {"user": newest.user, "sound": any(each.sound for each in there), "seen": newest.seen}


@router.post("/posts", status_code=201)
async def enrol_post(body: NewPost, response: Response, caller: Admin, parts: Parts) -> Fields:
    """Enrol the browser that sends this as a guards' post."""
    if not caller.by_cookie:
        raise Problem(422, "a program is no post", code="program_no_post", remedy="Sign in at the post's own browser.")
    token = new_token()
    made = await parts.posts.enrol(
        token, name=body.name, place=body.place, discreet_safe=body.discreet_safe, by=caller.name
    )
    if caller.post is not None:
        await parts.posts.remove(caller.post.id)
    response.set_cookie(
        post_cookie_name(parts),
        token,
        max_age=_POST_COOKIE_SECONDS,
        httponly=True,
        secure=parts.settings.api.tls == "auto",
        samesite="strict",
        path="/",
    )
    await record(parts, caller.name, "enrolled post", made.id, _mark(made))
    return _post(made)


def _mark(post: Post) -> str:
    return f"{post.name}{', discreet-safe' if post.discreet_safe else ''}"


@router.patch("/posts/{identity}")
async def change_post(identity: str, body: PostChange, caller: Admin, parts: Parts) -> Fields:
    """Change a post; its stream begins anew with what it may show."""
    changed = await parts.posts.change(identity, name=body.name, place=body.place, discreet_safe=body.discreet_safe)
    await record(parts, caller.name, "changed post", identity, _mark(changed))
    return _post(changed)


@router.delete("/posts/{identity}", status_code=204)
async def remove_post(identity: str, caller: Admin, parts: Parts) -> None:
    """It is a post no longer."""
    await parts.posts.remove(identity)
    await record(parts, caller.name, "removed post", identity)


@router.post("/posts/heartbeat", status_code=204)
async def heartbeat(body: Heartbeat, caller: Caller, parts: Parts) -> None:
    """A console says, every ten seconds, that it is there and whether it can sound."""
    if caller.by_cookie:
        await _hear(parts, caller, sound=body.sound)


async def _hear(parts: ApiParts, caller: Principal, *, sound: bool) -> None:
    able = caller.role in PEOPLE_ROLES
    await parts.posts.heard_from(caller.key, user=caller.name, able=able, post=caller.post, sound=sound)


@router.get("/outputs")
async def outputs(_caller: Caller, parts: Parts) -> Fields:
    """Every siren and lamp, and how it was told to be."""
    told = {each.output: each for each in parts.outputs.statuses()}
    items = [each.model_dump(mode="json") | {"status": asdict(told[each.id])} for each in parts.outputs.all()]
    return {"items": items}


@router.post("/outputs/{identity}/test", status_code=202)
async def test_output(identity: str, caller: Admin, parts: Parts) -> Fields:
    """Let an output run for a few seconds."""
    if parts.outputs.get(identity) is None:
        raise Problem(404, "there is no such output", code="no_such_output", where=f"output {identity}")
    parts.outputs.test(identity)
    await record(parts, caller.name, "tested output", identity)
    return {"testing": identity}
