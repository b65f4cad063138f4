"""What protects: which buttons would not reach the office now, walk tests, and the round trip of one button."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import AwareDatetime, Field

from gateway.api.auth import Admin, Caller, Guard, Parts, Principal, record
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.reach import Reach, Ways, office_faults, reach_of
from gateway.api.roundtrip import DeviceBusyError, try_round_trip
from gateway.api.routes.session import Body
from gateway.api.walktests import WalkTest, WalkTestRunningError, report_of
from gateway.incidents import OutOfService
from gateway.settings import Name

router = APIRouter()
Fields = dict[str, Any]


class NewWalkTest(Body):
    """A walk test.

    Attributes:
        devices: those that are walked to; all if none is named.
        minutes: after so many it ends by itself.
    """

    devices: Annotated[tuple[Name, ...], Field(max_length=10_000)] = ()
    minutes: Annotated[float, Field(gt=0, le=480)] = 60.0


class DeviceTest(Body):
    """How long to wait for somebody to press the button."""

    seconds: Annotated[float, Field(gt=0, le=300)] = 60.0


class ServiceRequest(Body):
    """For how long a device is to be out of service, and why."""

    minutes: Annotated[float, Field(gt=0, le=43_200)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ServiceConfirmation(Body):
    """What is confirmed: the request that was asked for at this moment, as it was shown, and no other one."""

    asked: AwareDatetime


@router.get("/protection")
async def protection(_caller: Caller, parts: Parts) -> Fields:
    """Which buttons would not reach the office now and why, those first; and the ways that all presses take."""
    ways, proved = _ways(parts), _proved(parts)
    found = _reach(parts, ways, proved=proved)
    return {
        "items": [asdict(each) for each in found],
        "reaching": sum(each.reaches for each in found),
        "not_reaching": sum(not each.reaches for each in found),
        "test_due": [each.device for each in parts.device_statuses() if each.test_due],
        "walk_test": parts.walk_tests.current or None,
        "out_of_service": [_service(each) for each in parts.service.all()],
        "ways": asdict(ways) | {"proved": proved},
    }


def _proved(parts: ApiParts) -> bool:
    return any(each.last_success is not None for each in parts.forwarders.statuses())


def _reach(parts: ApiParts, ways: Ways, *, proved: bool) -> list[Reach]:
    statuses = {each.device: each for each in parts.device_statuses()}
    out = {each.device for each in parts.service.all() if each.confirmed}
    return reach_of(parts.installation.devices.all(), statuses, ways, proved=proved, out_of_service=out)


def _ways(parts: ApiParts) -> Ways:
    destinations = parts.installation.destinations.all()
    return Ways(
        accepting=parts.accepting(),
        stored=parts.stores.journal.works,
        embedded=parts.endpoint() is not None,
        brokers=parts.brokers(),
        office=office_faults(destinations, parts.forwarders.statuses()),
    )


def _service(found: OutOfService) -> Fields:
    return asdict(found) | {"confirmed": found.confirmed}


def _refuse_program(caller: Principal) -> None:
    if not caller.by_cookie:
        remedy = "Two administrators have to sign in for it."
        raise Problem(422, "a program is no administrator", code="program_no_administrator", remedy=remedy)


async def _check_who_asked(identity: str, parts: ApiParts) -> None:
    """Who asked has to be an administrator still: the word of one who lost his rights is none."""
    asked = next((each for each in parts.service.all() if each.device == identity and not each.confirmed), None)
    user = await parts.stores.accounts.user(asked.asked_by) if asked is not None else None
    if asked is not None and (user is None or user.disabled or user.role != "admin"):
        what = f"{asked.asked_by}, who asked for it, is no administrator any more"
        remedy = "Withdraw the request, and ask anew."
        raise Problem(409, what, code="service_asker_gone", remedy=remedy, who=asked.asked_by)


@router.post("/devices/{identity}/out-of-service", status_code=202)
async def ask_out_of_service(identity: str, body: ServiceRequest, caller: Admin, parts: Parts) -> Fields:
    """Ask for a device to be out of service; nothing changes until another administrator confirms within an hour."""
    _refuse_program(caller)
    asked = await parts.service.ask(identity, actor=caller.name, seconds=body.minutes * 60, reason=body.reason)
    await record(parts, caller.name, "asked for out of service", identity, f"{body.minutes:g} min: {body.reason}")
    return _service(asked)


@router.post("/devices/{identity}/out-of-service/confirm")
async def confirm_out_of_service(identity: str, body: ServiceConfirmation, caller: Admin, parts: Parts) -> Fields:
    """Take it out of service: its presses are recorded and shown, and call nobody out; 422 for who asked.

    `asked` is that of the request as it was shown; 409 if another one took its place meanwhile.
    """
    _refuse_program(caller)
    await _check_who_asked(identity, parts)
    found = await parts.service.confirm(identity, actor=caller.name, asked=body.asked)
    await record(parts, caller.name, "took out of service", identity, f"asked by {found.asked_by}: {found.reason}")
    return _service(found)


@router.delete("/devices/{identity}/out-of-service", status_code=204)
async def end_out_of_service(identity: str, caller: Admin, parts: Parts) -> None:
    """Back in service, or the request withdrawn: one administrator is enough for that."""
    await parts.service.end(identity, actor=caller.name)
    await record(parts, caller.name, "put back in service", identity)


@router.post("/devices/{identity}/test")
async def try_device(identity: str, caller: Guard, parts: Parts, body: DeviceTest | None = None) -> Fields:
    """Wait for somebody to press the button, take that as a test, and tell how far it came: disk, button, office."""
    try:
        result = await try_round_trip(parts, identity, (body or DeviceTest()).seconds)
    except DeviceBusyError as error:
        raise Problem(409, error.what, code=error.code, where=error.where) from None
    outcome = "passed" if result.passed else "failed" if result.pressed else "nobody pressed"
    await record(parts, caller.name, "tested device", identity, outcome)
    return asdict(result)


@router.get("/walktests")
async def walk_tests(caller: Caller, parts: Parts) -> Fields:
    """The walk test that is on, if one is, and the newest ones."""
    items = await parts.walk_tests.recent()
    return {"current": parts.walk_tests.current or None, "items": [_shown(each, caller) for each in items]}


@router.post("/walktests", status_code=201)
async def start_walk_test(body: NewWalkTest, caller: Guard, parts: Parts) -> Fields:
    """Take the first press of each device as a test, until all were pressed or the time is over; 409 if one is on."""
    try:
        walk = await parts.walk_tests.start(body.devices, body.minutes, caller.name)
    except WalkTestRunningError as error:
        raise Problem(409, error.what, code=error.code, where=error.where, remedy=error.remedy) from None
    await record(parts, caller.name, "started walk test", walk.id, f"{len(walk.ticks)} devices")
    return _shown(walk, caller)


@router.get("/walktests/{walk}")
async def walk_test(walk: str, caller: Caller, parts: Parts) -> Fields:
    """One walk test: which devices were pressed, and which not."""
    return _shown(await parts.walk_tests.get(walk), caller)


@router.get("/walktests/{walk}/report.txt", response_class=PlainTextResponse)
async def walk_test_report(walk: str, caller: Caller, parts: Parts) -> PlainTextResponse:
    """The report of a walk test for people, and whether a press of each device would reach the office now."""
    found = (await parts.walk_tests.get(walk)).shown(discreet=caller.sees_discreet)
    name = f'attachment; filename="walk-test-{found.started:%Y%m%d-%H%M}.txt"'
    reach = {each.device: each for each in _reach(parts, _ways(parts), proved=_proved(parts))}
    text = report_of(found, parts.settings.gateway.site, reach, parts.clock.now())
    return PlainTextResponse(text, headers={"Content-Disposition": name})


@router.delete("/walktests/{walk}")
async def end_walk_test(walk: str, caller: Guard, parts: Parts) -> Fields:
    """End the walk test that is on: every press is real again."""
    if parts.walk_tests.current != walk:
        raise Problem(404, "no such walk test is on", code="no_such_walk_test", where=f"walk test {walk}")
    ended = await parts.walk_tests.end(caller.name)
    await record(parts, caller.name, "ended walk test", walk)
    return _shown(ended, caller) if ended is not None else {}


def _shown(walk: WalkTest, caller: Principal) -> Fields:
    told = walk.shown(discreet=caller.sees_discreet)
    return asdict(told) | {"missing": walk.missing, "pressed": len(walk.ticks) - len(walk.missing)}
