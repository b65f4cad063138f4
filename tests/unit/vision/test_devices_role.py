"""The devices child's bookkeeping: pictures that fail, guards of passwords, cameras that move while they change."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from harness.devices_bench import ASSIGNED, DESCRIBED, Outbox

from gateway.cameras import CameraDescription, CameraError, CameraState, PasswordGuard
from gateway.clock import ManualClock
from gateway.settings import MatchingSettings, VisionSettings
from gateway.vision.devices import DevicesRole
from gateway.vision.devices.listening import Ear, EventListening
from gateway.wire import (
    CameraAssigned,
    CameraWithdrawn,
    Hello,
    Message,
    PictureRequest,
    Received,
    RecordingReply,
    RecordingRequest,
)

ELSEWHERE = "onvif://127.0.0.2"


@dataclass
class Nothing:
    """Has no events."""

    async def subscribe(self, *, absolute: bool = False) -> object:
        raise CameraError(CameraState.NO_EVENTS, f"none, absolute or not ({absolute})", where="127.0.0.1")

    async def subscribe_push(self, consumer: str) -> object:
        raise RuntimeError(consumer)

    async def open_metadata(self) -> object:
        raise CameraError(CameraState.NO_EVENTS, "none", where="127.0.0.1")


@dataclass
class Camera:
    """Answers once it may."""

    may_answer: asyncio.Event
    picture: Exception | bytes = b""
    certificate: bytes = b""
    events: Any = field(default_factory=Nothing)
    host: str = "127.0.0.1"

    @property
    def address(self) -> "Camera":
        return self

    async def probe(self) -> CameraDescription:
        await self.may_answer.wait()
        return DESCRIBED

    async def own_recording(self) -> object:
        raise CameraError(CameraState.NO_RECORDING, "none", where="127.0.0.1")

    async def snapshot(self) -> bytes:
        if isinstance(self.picture, Exception):
            raise self.picture
        return self.picture

    async def close(self) -> None:
        pass


def _role(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[CameraAssigned], Camera] | None = None
) -> tuple[DevicesRole, Outbox]:
    outbox = Outbox()
    vision = VisionSettings(follow_moved_cameras=True)
    hello = Hello(
        role="devices", worker="devices", site="east", vision=vision, matching=MatchingSettings(), models_directory=""
    )
    role = DevicesRole(hello, outbox)  # type: ignore[arg-type]  # an outlet without a channel
    if make is not None:
        monkeypatch.setattr(role, "_camera", make)
    return role, outbox


async def _said(role: DevicesRole, *messages: Message) -> None:
    for message in messages:
        await role.handle(Received(message))


def _at_once() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_a_picture_that_nobody_foresaw_is_a_refusal_and_no_end_of_the_child(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    role, _ = _role(monkeypatch, lambda _assigned: Camera(_at_once(), picture=MemoryError()))
    await _said(role, ASSIGNED)
    reply = await role.picture(PictureRequest(request=7, camera="cam-01", width=640))
    await role.close()
    assert (reply.request, reply.jpeg, reply.refusal) == (7, b"", "MemoryError")
    assert "camera cam-01: its picture" in caplog.text


async def test_guards_of_passwords_that_nobody_needs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    role, _ = _role(monkeypatch)
    clock = ManualClock()
    monkeypatch.setattr(role, "_clock", clock)
    refused = role._guard(replace(ASSIGNED, username="gate", password="wrong"))
    refused.refused()
    for number in range(20):
        role._guard(replace(ASSIGNED, username="gate", password=str(number)))
    assert len(role._guards) == 2
    assert role._guard(replace(ASSIGNED, username="gate", password="wrong")) is refused
    clock.advance(3600)
    role._guard(replace(ASSIGNED, username="gate", password="last"))
    assert len(role._guards) == 1
    assert all(isinstance(each, PasswordGuard) for each in role._guards.values())


async def test_another_password_of_a_user_who_was_refused_has_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera counts the user's refusals and locks him out after five, whichever passwords were wrong."""
    role, _ = _role(monkeypatch)
    clock = ManualClock()
    monkeypatch.setattr(role, "_clock", clock)
    wrong = role._guard(replace(ASSIGNED, username="gate", password="wrong"))
    for _ in range(3):
        wrong.refused()
    corrected = role._guard(replace(ASSIGNED, username="gate", password="also wrong"))
    corrected.check()
    corrected.refused()
    with pytest.raises(CameraError, match="refused the credentials 4 times; the next try is in 600 s"):
        corrected.check()
    other = role._guard(replace(ASSIGNED, username="another", password="wrong"))
    other.refused()
    other.check()


@pytest.mark.parametrize("changes", [(), (replace(ASSIGNED, password="new"),)])
async def test_a_camera_that_was_taken_away_while_it_moved_stays_away(
    monkeypatch: pytest.MonkeyPatch, changes: tuple[Message, ...]
) -> None:
    may_answer = asyncio.Event()
    role, outbox = _role(monkeypatch, lambda assigned: Camera(may_answer if assigned.url == ELSEWHERE else _at_once()))
    await _said(role, ASSIGNED)
    watch = role._watches["cam-01"]
    watch.described = DESCRIBED
    moving = asyncio.create_task(role._move(watch, ELSEWHERE))
    await asyncio.sleep(0)
    await _said(role, CameraWithdrawn(camera="cam-01"), *changes)
    may_answer.set()
    assert not await moving
    assert [each.assigned for each in role._watches.values()] == list(changes)
    assert "moved" not in outbox.faults()
    await role.close()


async def test_a_camera_that_moves_is_watched_there(monkeypatch: pytest.MonkeyPatch) -> None:
    role, outbox = _role(monkeypatch, lambda _assigned: Camera(_at_once()))
    await _said(role, ASSIGNED)
    watch = role._watches["cam-01"]
    watch.described = DESCRIBED
    assert await role._move(watch, ELSEWHERE)
    assert role._watches["cam-01"].assigned.url == ELSEWHERE
    assert "moved" in outbox.faults()
    await role.close()


async def test_a_search_that_fails_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    role, _ = _role(monkeypatch)

    async def fail(*_: object) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(role, "_answer", fail)
    role._look_around(type("Request", (), {"request": 3})())
    for _ in range(3):
        await asyncio.sleep(0)
    assert "discovery 3 failed" in caplog.text
    assert not role._searches


@dataclass
class Push:
    """Gives each consumer an address of its own."""

    paths: set[str] = field(default_factory=set)
    given: int = 0

    async def add(self, _host: str, _take: object) -> str:
        self.given += 1
        self.paths.add(f"http://here/events/{self.given}")
        return f"http://here/events/{self.given}"

    def remove(self, consumer: str) -> None:
        self.paths.discard(consumer)


async def test_a_camera_that_is_listened_to_again_is_given_an_address_that_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push = Push()
    ear = Ear(Nothing(), "127.0.0.1", push)  # type: ignore[arg-type]  # they speak no protocol
    listening = EventListening(ASSIGNED, ear, "east", Outbox(), ManualClock())
    for _ in range(2):
        task = asyncio.create_task(listening.run())
        for _ in range(10):
            await asyncio.sleep(0)
        assert listening._consumer in push.paths
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert push.given == 2
    assert not push.paths


async def test_where_a_recording_is_played_is_asked_beside_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    role, outbox = _role(monkeypatch, lambda _assigned: Camera(asyncio.Event()))
    await _said(role, ASSIGNED)
    for number, camera in enumerate(("cam-01", "cam-09")):
        await role.handle(Received(RecordingRequest(request=number, camera=camera)))
    while len(outbox.of(RecordingReply)) < 2:
        await asyncio.sleep(0.01)
    await role.close()
    replies = [each for each in outbox.sent if isinstance(each, RecordingReply)]
    assert sorted((each.request, each.camera, each.refusal) for each in replies) == [
        (0, "cam-01", "no_recording"),
        (1, "cam-09", "unreachable"),
    ]
