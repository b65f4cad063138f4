"""What is installed: cameras, alarm devices and destinations, from the file and by API, with their live state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway.api.auth import Admin, Caller, Guard, Parts, Principal, record, still_allowed
from gateway.api.camera_import import read_cameras
from gateway.api.discretion import MOST_SENT, shown_meanings, shown_status, told_of
from gateway.api.installation import (
    EntryExistsError,
    EntryRefusedError,
    FileEntryError,
    Register,
    shown,
    shown_description,
)
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.routes.events import item_of
from gateway.api.sources import (
    refuse_links_into_nothing,
    refuse_local_address,
    refuse_local_files,
    refuse_masses,
    refuse_to_cut_links,
)
from gateway.errors import GatewayError, PermanentError
from gateway.events import CamerasReported
from gateway.forwarding import Verdict
from gateway.incidents import ConflictError
from gateway.settings import CameraSettings, DestinationSettings, DeviceSettings, Slice
from gateway.storage import EventFilter, UnreadableEvent

router = APIRouter()
_MJPEG_SECONDS = 0.5
_LARGEST_CSV_BYTES = 1024 * 1024
_LONGEST_LIVE_SECONDS = 600.0
Fields = dict[str, Any]


def _refused(error: EntryRefusedError) -> Problem:
    figures: dict[str, Any] = error.figures
    told: dict[str, Any] = {"where": error.where, "remedy": error.remedy, "code": error.code}
    return Problem(422, error.what, faults=error.faults, **told, **figures)


def _conflict(error: PermanentError) -> Problem:
    return Problem(409, error.what, code=error.code, where=error.where, remedy=error.remedy)


async def _create(register: Register[Any], body: Fields, parts: ApiParts, caller: str, kind: str) -> Fields:
    refuse_masses(body)
    refuse_local_files(body)
    try:
        made = await register.create(body)
    except EntryExistsError as error:
        raise _conflict(error) from None
    except EntryRefusedError as error:
        raise _refused(error) from None
    await record(parts, caller, f"added {kind}", made.id)
    return shown(made, whole=True)


async def _change(register: Register[Any], identity: str, body: Fields, parts: ApiParts, caller: str) -> Slice:
    refuse_masses(body)
    refuse_local_files(body)
    try:
        changed: Slice = await register.change(identity, body)
    except FileEntryError as error:
        raise _conflict(error) from None
    except EntryRefusedError as error:
        raise _refused(error) from None
    await record(parts, caller, "changed entry", identity, ", ".join(sorted(body)))
    return changed


async def _delete(register: Register[Any], identity: str, parts: ApiParts, caller: str) -> None:
    try:
        await register.delete(identity)
    except FileEntryError as error:
        raise _conflict(error) from None
    await record(parts, caller, "removed entry", identity)


def _is_admin(caller: Principal) -> bool:
    return caller.role == "admin"


def _camera(parts: ApiParts, camera: CameraSettings, caller: Principal) -> Fields:
    states = {each.camera: each for each in parts.workers.cameras()}
    body = shown(camera, whole=_is_admin(caller)) | {"from_file": parts.installation.cameras.in_file(camera.id)}
    state = states.get(camera.id)
    if state is None:
        return body | {"status": {"state": "unknown"}}
    figures = asdict(state.status) if state.status else {}
    status = figures | {"state": state.state, "reason": state.reason, "worker": state.worker}
    description = shown_description(state.description, whole=_is_admin(caller))
    remedy = state.remedy or (state.status.remedy if state.status and state.state == "lost" else "")
    told = {"remedy": remedy, "detail": state.detail, "description": description}
    return body | {"status": status | {"lost_since": state.lost_since, "asked": state.asked} | told}


@router.get("/cameras")
async def cameras(caller: Caller, parts: Parts) -> Fields:
    """All cameras with their state; what their addresses hold behind the path is for administrators."""
    return {"items": [_camera(parts, each, caller) for each in parts.installation.cameras.all()]}


@router.post("/cameras", status_code=201)
async def add_camera(body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Add a camera; its password is sealed at rest and never shown."""
    refuse_local_address(body, parts.settings.vision.camera_networks)
    return await _create(parts.installation.cameras, body, parts, caller.name, "camera")


@router.post("/cameras/discover")
async def discover(_caller: Admin, parts: Parts, seconds: Annotated[float, Query(ge=1, le=30)] = 4.0) -> Fields:
    """Look for ONVIF cameras: cards to adopt with POST /cameras, each with its state and whether it is one of ours."""
    found = await parts.workers.discover(seconds)
    return {"items": [asdict(each) for each in found], "networks": list(parts.settings.vision.camera_networks)}


@router.post("/cameras/import")
async def import_cameras(request: Request, caller: Admin, parts: Parts, dry_run: bool = True) -> Fields:
    """Add cameras from a CSV file; a dry run says what would be added, row by row, and adds nothing.

    Passwords are sealed at rest, each by itself, and never shown. A row that cannot be used delays no other.
    """
    register = parts.installation.cameras
    taken = {each.id for each in register.all()}
    networks = parts.settings.vision.camera_networks
    rows = await asyncio.to_thread(read_cameras, await _text_of(request), taken, networks)
    answers: list[Fields] = []
    room = register.room
    for row in rows:
        fault, where, remedy = row.fault, row.where, row.remedy
        if row.body is not None and dry_run:
            room -= 1
            fault = "" if room >= 0 else "more cameras than one gateway takes"
        if row.body is not None and not dry_run:
            try:
                await _create(register, row.body, parts, caller.name, "camera")
            except (GatewayError, Problem) as error:
                fault = error.what if isinstance(error, GatewayError) else error.detail
        answers.append(
            {"line": row.line, "id": row.camera, "ok": not fault, "fault": fault, "where": where, "remedy": remedy}
        )
    good = sum(bool(each["ok"]) for each in answers)
    return {"dry_run": dry_run, "good": good, "bad": len(answers) - good, "items": answers}


async def _text_of(request: Request) -> str:
    body = await request.body()
    if len(body) > _LARGEST_CSV_BYTES:
        what = f"the file is larger than {_LARGEST_CSV_BYTES} bytes"
        raise Problem(413, what, code="body_too_large", limit=_LARGEST_CSV_BYTES)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        remedy = "Save it as UTF-8."
        raise Problem(422, f"not UTF-8 at byte {error.start}", code="no_csv", remedy=remedy) from None


@router.get("/cameras/report")
async def camera_report(
    _caller: Caller, parts: Parts, days: Annotated[int, Query(ge=1, le=31, description="the newest so many")] = 1
) -> Fields:
    """The daily reports of cameras, the newest last; none before the gateway's first midnight."""
    found = await parts.stores.journal.tail(2 * days, EventFilter(types=(CamerasReported.TYPE,)))
    told = {data["day"]: data for data in (item_of(each)["event"]["data"] for each in found)}
    return {"items": [told[day] for day in sorted(told)[-days:]]}


@router.get("/cameras/{identity}")
async def camera(identity: str, caller: Caller, parts: Parts) -> Fields:
    """One camera."""
    return _camera(parts, parts.installation.cameras.get(identity), caller)


@router.patch("/cameras/{identity}")
async def change_camera(identity: str, body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Change a camera; 409 if it is of the configuration file."""
    refuse_local_address(body, parts.settings.vision.camera_networks)
    await _change(parts.installation.cameras, identity, body, parts, caller.name)
    return _camera(parts, parts.installation.cameras.get(identity), caller)


@router.delete("/cameras/{identity}", status_code=204)
async def remove_camera(identity: str, caller: Admin, parts: Parts) -> None:
    """Remove a camera; 409 if it is of the configuration file, or named by an alarm device or an output."""
    cameras = parts.installation.cameras
    async with parts.installation.linking:
        if cameras.find(identity) is not None and not cameras.in_file(identity):
            refuse_to_cut_links(identity, parts.installation.devices.all(), parts.settings.outputs)
        await _delete(cameras, identity, parts, caller.name)


@router.get("/cameras/{identity}/snapshot.jpg", response_class=Response)
async def snapshot(
    identity: str, _caller: Guard, parts: Parts, width: Annotated[int, Query(ge=64, le=3840)] = 1280
) -> Response:
    """The newest picture of a camera."""
    parts.installation.cameras.get(identity)
    picture = await parts.workers.picture(identity, width)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.get("/cameras/{identity}/live.mjpeg", response_class=StreamingResponse)
async def live(identity: str, caller: Guard, parts: Parts) -> StreamingResponse:
    """Two pictures a second for ten minutes at most; the newest wins."""
    parts.installation.cameras.get(identity)
    return StreamingResponse(
        _pictures(parts, identity, caller),
        media_type="multipart/x-mixed-replace; boundary=frame",
        headers={"Cache-Control": "no-store"},
    )


async def _pictures(parts: ApiParts, camera: str, caller: Principal) -> AsyncIterator[bytes]:
    until = parts.clock.monotonic() + _LONGEST_LIVE_SECONDS
    while parts.clock.monotonic() < until and not parts.hub.stopping.is_set():
        if not await still_allowed(parts, caller):
            return
        try:
            picture = await parts.workers.picture(camera, 960)
        except GatewayError:
            return
        yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(picture), picture)
        await asyncio.sleep(_MJPEG_SECONDS)


def _refuse_links(body: Fields, parts: ApiParts) -> None:
    refuse_links_into_nothing(body, [each.id for each in parts.installation.cameras.all()])


def _device(parts: ApiParts, device: DeviceSettings, caller: Principal) -> Fields:
    status = {each.device: each for each in parts.device_statuses()}.get(device.id)
    body = shown(device, whole=True) | {"from_file": parts.installation.devices.in_file(device.id)}
    if not (caller.sees_discreet or _is_admin(caller)):
        body = shown_meanings(body)
    told = shown_status(status, discreet=caller.sees_discreet) if status else {}
    return body | {"topics": parts.device_topics(device), "status": told}


@router.get("/devices")
async def devices(caller: Caller, parts: Parts) -> Fields:
    """All alarm devices with their state; `last_press` is of a press that the caller may know of."""
    return {"items": [_device(parts, each, caller) for each in parts.installation.devices.all()]}


@router.post("/devices", status_code=201)
async def add_device(body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Add an alarm device; 422 if it is linked to a camera that is not there."""
    async with parts.installation.linking:
        _refuse_links(body, parts)
        return await _create(parts.installation.devices, body, parts, caller.name, "device")


@router.get("/devices/{identity}")
async def device(identity: str, caller: Caller, parts: Parts) -> Fields:
    """One alarm device."""
    return _device(parts, parts.installation.devices.get(identity), caller)


@router.patch("/devices/{identity}")
async def change_device(identity: str, body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Change an alarm device; 409 if it is of the configuration file, 422 if a new link leads to no camera."""
    async with parts.installation.linking:
        _refuse_links(body, parts)
        await _change(parts.installation.devices, identity, body, parts, caller.name)
    return _device(parts, parts.installation.devices.get(identity), caller)


@router.delete("/devices/{identity}", status_code=204)
async def remove_device(identity: str, caller: Admin, parts: Parts) -> None:
    """Remove an alarm device; 409 if it is of the configuration file. Another one under its id is in service."""
    await _delete(parts.installation.devices, identity, parts, caller.name)
    with suppress(ConflictError):  # it was not out of service
        await parts.service.end(identity, actor=caller.name, reason="the device was removed")


def _destination(parts: ApiParts, destination: DestinationSettings, caller: Principal) -> Fields:
    status = {each.destination: each for each in parts.forwarders.statuses()}.get(destination.id)
    body = shown(destination, whole=_is_admin(caller)) | {
        "from_file": parts.installation.destinations.in_file(destination.id)
    }
    return body | {"status": asdict(status) if status else {"state": "unknown"}}


@router.get("/destinations")
async def destinations(caller: Caller, parts: Parts) -> Fields:
    """All destinations with backlog, last success and last error; queries of addresses are for administrators."""
    return {"items": [_destination(parts, each, caller) for each in parts.installation.destinations.all()]}


@router.post("/destinations", status_code=201)
async def add_destination(body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Add a destination; it gets what happens from now on."""
    return await _create(parts.installation.destinations, body, parts, caller.name, "destination")


@router.patch("/destinations/{identity}")
async def change_destination(identity: str, body: Fields, caller: Admin, parts: Parts) -> Fields:
    """Change a destination; 409 if it is of the configuration file."""
    await _change(parts.installation.destinations, identity, body, parts, caller.name)
    return _destination(parts, parts.installation.destinations.get(identity), caller)


@router.delete("/destinations/{identity}", status_code=204)
async def remove_destination(identity: str, caller: Admin, parts: Parts) -> None:
    """Remove a destination; 409 if it is of the configuration file."""
    await _delete(parts.installation.destinations, identity, parts, caller.name)


@router.get("/destinations/{identity}/deliveries")
async def deliveries(
    identity: str, caller: Caller, parts: Parts, limit: Annotated[int, Query(ge=1, le=MOST_SENT)] = 100
) -> Fields:
    """What became of the newest events, and the dead letters; of silent presses only to who may know of them."""
    parts.installation.destinations.get(identity)
    journal, outbox, discreet = parts.stores.journal, parts.stores.outbox, caller.sees_discreet
    found = await told_of(journal, await outbox.deliveries(identity, MOST_SENT), discreet=discreet)
    dead = await told_of(journal, await outbox.dead_letters(identity, MOST_SENT), discreet=discreet)
    return {
        "items": [asdict(each) for each in found[:limit]],
        "dead_letters": [asdict(each) for each in dead[:limit]],
    }


@router.post("/destinations/{identity}/test")
async def test_destination(identity: str, caller: Admin, parts: Parts) -> Fields:
    """Send a test event and tell the receiver's answer."""
    outcome = await parts.forwarders.get(identity).test()
    await record(parts, caller.name, "tested destination", identity, outcome.verdict)
    return {"verdict": outcome.verdict, "reason": outcome.reason}


@router.post("/destinations/{identity}/retry")
async def retry_destination(identity: str, caller: Admin, parts: Parts) -> Fields:
    """Try everything that waits now, and each dead letter once more."""
    forwarder = parts.forwarders.get(identity)
    forwarder.retry_now()
    revived = 0
    for letter in await parts.stores.outbox.dead_letters(identity, 500):
        for stored in await parts.stores.journal.at([letter.position]):
            if isinstance(stored.event, UnreadableEvent) or stored.event.id != letter.event:
                continue
            revived += (await forwarder.retry_dead(stored)).verdict is Verdict.ACCEPTED
    await record(parts, caller.name, "retried destination", identity)
    return {"retried": True, "dead_letters_delivered": revived}
