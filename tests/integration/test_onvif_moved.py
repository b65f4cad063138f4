"""A camera that comes back at another address is found by what it is, and nobody else is taken for it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.cameras import OnvifLibrary, Search
from gateway.events import CameraFault, decode
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.simulators.camera import Ports, SimulatedCamera, write_test_recording
from gateway.vision.devices import DevicesRole
from gateway.vision.devices.finder import Finder
from gateway.wire import CameraAssigned, CameraDescribed, Hello, Message, Received, Report, StreamAddress

LOOPBACK = ("127.0.0.1/32",)


@dataclass
class Outlet:
    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def streams(self) -> list[str]:
        return [each.url for each in self.sent if isinstance(each, StreamAddress)]

    def states(self) -> list[str]:
        return [each.state for each in self.sent if isinstance(each, CameraDescribed)]

    def faults(self) -> list[str]:
        events = [decode(each.event) for each in self.sent if isinstance(each, Report)]
        return [each.state for each in events if isinstance(each, CameraFault)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("moved") / "squares.mp4", frames=12)


async def _until(so: Callable[[], bool], what: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.05)


def _camera(recording: Path, serial: str) -> SimulatedCamera:
    return SimulatedCamera(
        recording,
        ports=Ports(discovery=0),
        username="gate",
        password="secret",
        serial=serial,
        quirks=["short-poll=0.1"],
    )


@pytest.mark.parametrize(
    ("serial", "follows", "found"), [("A1", True, True), ("B2", True, False), ("A1", False, False)]
)
async def test_a_camera_that_moved_is_followed(recording: Path, serial: str, follows: bool, found: bool) -> None:
    outlet = Outlet()
    vision = VisionSettings(camera_networks=LOOPBACK, follow_moved_cameras=follows)
    hello = Hello(
        role="devices", worker="devices", site="east", vision=vision, matching=MatchingSettings(),
        models_directory="", evidence=EvidenceSettings(),
    )  # fmt: skip
    role = DevicesRole(hello, outlet)  # type: ignore[arg-type]  # an outlet without a channel
    ports: list[int] = []
    role._finder = role._returning._finder = Finder(
        OnvifLibrary(), LOOPBACK, lambda _s: Search(networks=LOOPBACK, seconds=0.5, interfaces=(), port=ports[-1])
    )
    async with _camera(recording, "A1") as first:
        assigned = CameraAssigned(
            camera="cam-01", name="", place="", url=first.onvif_url, watch_faces=False, loop=False, looks_per_second=5,
            username="gate", password="secret",
        )  # fmt: skip
        await role.handle(Received(assigned, ()))
        await _until(lambda: bool(outlet.streams()), outlet.sent)
    watch = role._watches["cam-01"]

    def away() -> bool:
        watch.ask_again()
        return watch.is_away

    await _until(away, outlet.sent)
    async with _camera(recording, serial) as second:
        ports.append(second.inside.discovery_port)
        task = asyncio.create_task(role._returning.run(), name="returning")
        role._returning._hello.set()
        if found:
            await _until(lambda: second.rtsp_url in outlet.streams(), outlet.sent)
            assert "moved" in outlet.faults()
            assert role._watches["cam-01"].assigned.url == second.onvif_url
        else:
            await _until(lambda: role._returning._fruitless > 0, outlet.sent)
            assert second.rtsp_url not in outlet.streams()
            assert ("seen_elsewhere" in outlet.faults()) is not follows
            assert second.inside.door.wrong_tries == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await role.close()
