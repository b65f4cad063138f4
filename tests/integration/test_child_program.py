"""The frame of a child program, with a role of the test's own between real channels."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.errors import ConfigError, Fault, GatewayError, PermanentError
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.vision.child import Outlet, run_child
from gateway.wire import (
    Channel,
    Failed,
    Heartbeat,
    Hello,
    PictureReply,
    PictureRequest,
    Ready,
    Received,
    Stop,
    channel_pair,
)

HELLO = Hello(
    role="devices",
    worker="devices",
    site="east",
    vision=VisionSettings(),
    matching=MatchingSettings(),
    models_directory="",
    evidence=EvidenceSettings(),
)


@dataclass
class Gallery:
    """Shows pictures; that of the camera "slow" only when it may."""

    outlet: Outlet
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> Ready:
        return Ready(worker="devices")

    async def handle(self, received: Received) -> None:
        """Nothing is asked of it."""

    async def picture(self, request: PictureRequest) -> PictureReply:
        if request.camera == "slow":
            await self.may.wait()
        return PictureReply(request=request.request, camera=request.camera, jpeg=b"x")

    def heartbeat(self) -> Heartbeat:
        return Heartbeat(worker="devices")

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_camera_that_is_slow_with_its_picture_keeps_no_other_waiting() -> None:
    pairs = [channel_pair(), channel_pair()]
    parent, pictures = (Channel.from_fd(ours.detach()) for ours, _ in pairs)
    roles: list[Gallery] = []

    def make(_hello: Hello, outlet: Outlet) -> Gallery:
        roles.append(Gallery(outlet))
        return roles[0]

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        child = group.create_task(run_child(make, *(theirs.detach() for _, theirs in pairs)))
        await parent.send(HELLO)
        for number, camera in enumerate(("slow", "quick", "slow", "quick")):
            await pictures.send(PictureRequest(request=number, camera=camera, width=640))
        first = [(await pictures.receive()).message for _ in range(2)]
        roles[0].may.set()
        last = [(await pictures.receive()).message for _ in range(2)]
        await parent.send(Stop())
    assert child.result() == 0
    assert [[each.camera for each in part if isinstance(each, PictureReply)] for part in (first, last)] == [
        ["quick", "quick"],
        ["slow", "slow"],
    ]
    parent.close()
    pictures.close()


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (PermanentError("it is gone", where="n.onnx", remedy="Put it there."), "n.onnx: it is gone", "Put it there."),
        (
            ConfigError([Fault("n.toml", "metric", "the key is missing", "Add it.")] * 2),
            "n.toml: metric: the",
            "Add it.",
        ),
        (PermanentError("password=hunter2 is wrong"), "password=*** is wrong", ""),
        (PermanentError("x" * 5000), "x" * 400, ""),
    ],
)
async def test_what_cannot_go_on_is_told_to_the_parent(error: GatewayError, what: str, remedy: str) -> None:
    pairs = [channel_pair(), channel_pair()]
    parent, pictures = (Channel.from_fd(ours.detach()) for ours, _ in pairs)

    def make(_hello: Hello, outlet: Outlet) -> Gallery:
        role = Gallery(outlet)

        async def fail() -> Ready:
            raise error

        role.open = fail  # type: ignore[method-assign]  # as a role whose models are not there
        return role

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        child = group.create_task(run_child(make, *(theirs.detach() for _, theirs in pairs)))
        await parent.send(HELLO)
        while not isinstance(told := (await parent.receive()).message, Failed):
            pass
    assert child.result() == 1
    assert told.what.startswith(what)
    assert len(told.what) <= 400
    assert told.remedy == remedy
    parent.close()
    pictures.close()
