"""Discovery: probes from ephemeral ports, answers from other ones, and addresses of the site's networks only."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gateway.cameras import Announcement, AnnouncementListener, OnvifLibrary, Search
from gateway.cameras.discovery import search as search_module
from gateway.cameras.discovery.messages import Said, read_announcements
from gateway.cameras.discovery.search import addresses_in
from gateway.simulators.camera import Ports, SimulatedCamera, write_test_recording
from gateway.vision.devices.finder import Finder
from gateway.wire import CameraAssigned, DiscoverRequest

LOOPBACK = ("127.0.0.1/32",)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("discovery") / "squares.mp4", frames=12)


@asynccontextmanager
async def _camera(recording: Path, *quirks: str, username: str = "") -> AsyncIterator[SimulatedCamera]:
    async with SimulatedCamera(
        recording, ports=Ports(discovery=0), quirks=quirks, username=username, password="secret"
    ) as camera:
        yield camera


def _search(camera: SimulatedCamera, networks: tuple[str, ...] = LOOPBACK, seconds: float = 1.0) -> Search:
    return Search(networks=networks, seconds=seconds, interfaces=(), port=camera.inside.discovery_port)


@pytest.mark.parametrize("quirks", [(), ("wrong-host",)])
async def test_a_camera_is_found_at_the_address_that_it_answers_from(recording: Path, quirks: tuple[str, ...]) -> None:
    async with _camera(recording, *quirks) as camera:
        (found,) = await _search(camera).run()

    assert found.url == camera.onvif_url
    assert found.endpoint == camera.inside.device.endpoint
    assert (found.name, found.hardware) == ("Simulated Camera", "software")


async def test_an_answer_from_outside_the_networks_is_dropped(recording: Path) -> None:
    async with _camera(recording) as camera:
        search = _search(camera)
        search.networks = ("192.0.2.0/30",)
        search.heard(_match(camera), "127.0.0.1")
        assert search._found == {}


def _match(camera: SimulatedCamera) -> bytes:
    assert camera.inside.discovery is not None
    target = camera.inside.discovery._target()
    body = f"<d:ProbeMatches><d:ProbeMatch>{target}</d:ProbeMatch></d:ProbeMatches>"
    return camera.inside.discovery._message("ProbeMatches", "", body)


async def test_an_answer_to_somebody_elses_question_is_dropped(recording: Path) -> None:
    async with _camera(recording) as camera:
        search = _search(camera)
        search.heard(_match(camera).replace(b"<w:To>", b"<w:RelatesTo>urn:uuid:other</w:RelatesTo><w:To>"), "127.0.0.1")
        assert search._found == {}


@pytest.mark.parametrize(
    ("username", "state", "activation"), [("gate", "credentials_wrong", "done"), ("", "ok", "pending")]
)
async def test_a_card_says_how_the_camera_is(recording: Path, username: str, state: str, activation: str) -> None:
    async with _camera(recording, username=username) as camera:
        finder = Finder(OnvifLibrary(), LOOPBACK, lambda seconds: _search(camera, seconds=seconds))
        reply = await finder.discover(DiscoverRequest(request=7, seconds=0.5), {})

    (card,) = reply.cameras
    assert (reply.request, card.url, card.state, card.activation) == (7, camera.onvif_url, state, activation)
    assert card.serial == ("SIM-0001" if activation == "pending" else "")


async def test_a_card_knows_a_camera_of_ours(recording: Path) -> None:
    async with _camera(recording) as camera:
        ours = CameraAssigned(
            camera="cam-01", name="", place="", url=camera.onvif_url, watch_faces=False, loop=False, looks_per_second=5
        )
        finder = Finder(OnvifLibrary(), LOOPBACK, lambda seconds: _search(camera, seconds=seconds))
        reply = await finder.discover(DiscoverRequest(request=1, seconds=0.5), {"cam-01": (ours, None)})

    assert [card.camera for card in reply.cameras] == ["cam-01"]


async def test_hello_and_bye_are_heard_from_the_networks_only(recording: Path) -> None:
    heard: list[tuple[Announcement, str]] = []
    came = asyncio.Event()

    def hear(said: Announcement, sender: str) -> None:
        heard.append((said, sender))
        came.set()

    async with AsyncExitStack() as stack:
        camera = await stack.enter_async_context(_camera(recording))
        assert camera.inside.discovery is not None
        near = AnnouncementListener(hear, LOOPBACK, "127.0.0.1", 0)
        far = AnnouncementListener(lambda said, sender: pytest.fail("heard"), ("10.0.0.0/8",), "127.0.0.1", 0)
        for listener in (near, far):
            await listener.open()
            stack.callback(listener.close)
        for what in ("Hello", "Bye"):
            camera.inside.discovery.announce(what, ("127.0.0.1", far.port))
            camera.inside.discovery.announce(what, ("127.0.0.1", near.port))
            await asyncio.wait_for(came.wait(), 10)
            came.clear()

    assert [(said.said, sender) for said, sender in heard] == [(Said.HELLO, "127.0.0.1"), (Said.BYE, "127.0.0.1")]
    assert {said.endpoint for said, _ in heard} == {camera.inside.device.endpoint}


def test_a_port_that_is_taken_is_no_error(recording: Path) -> None:
    async def open_twice() -> None:
        first = AnnouncementListener(lambda said, sender: None, (), "127.0.0.1", 1)
        await first.open()
        first.close()

    asyncio.run(open_twice())


def test_only_so_many_addresses_are_asked() -> None:
    assert list(addresses_in(("192.168.1.0/30", "fd00::/64", "192.168.2.1/32"))) == [
        "192.168.1.1",
        "192.168.1.2",
        "192.168.2.1",
    ]
    assert len(list(addresses_in(("10.0.0.0/8",)))) == 4096


@pytest.mark.parametrize("datagram", [b"", b"\x00" * 100, b"<html/>", b"<a><ProbeMatch/></a>", b"\xff" * 2000])
def test_what_is_no_announcement_is_none(datagram: bytes) -> None:
    assert read_announcements(datagram) == ()


def test_names_of_devices_hold_no_control_characters_and_half_characters_end_nothing() -> None:
    datagram = (
        "<Envelope><Body><ProbeMatch><EndpointReference><Address>urn:uuid:1</Address></EndpointReference>"
        "<Scopes>onvif://www.onvif.org/name/East%0D%0A%1B[31m&#xD800;gate</Scopes></ProbeMatch></Body></Envelope>"
    )
    (said,) = read_announcements(datagram.encode())

    assert said.scope("name") == "East[31m\ufffdgate"


def test_another_dialect_is_read_by_local_names() -> None:
    datagram = (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing" '
        b'xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"><s:Header><a:RelatesTo>x</a:RelatesTo></s:Header>'
        b"<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>URN:uuid:1</a:Address>"
        b"</a:EndpointReference><d:Scopes>onvif://www.onvif.org/name/East%20gate</d:Scopes>"
        b"<d:XAddrs>http://10.0.0.1/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    )
    (said,) = read_announcements(datagram)

    assert (said.endpoint, said.scope("name"), said.relates_to) == ("urn:uuid:1", "East gate", "x")
    assert said.addresses == ("http://10.0.0.1/onvif/device_service",)


async def test_a_search_that_is_cut_off_while_it_opens_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []
    real = search_module._opened

    def counted(address: str) -> socket.socket | None:
        made = real(address)
        opened.extend([made] if made is not None else [])
        return made

    async def refuse(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(search_module, "_opened", counted)
    monkeypatch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", refuse)
    with pytest.raises(OSError, match="no room"):
        await Search(networks=("127.0.0.1/32",), seconds=0.1, interfaces=("127.0.0.1",)).run()
    assert [each.fileno() for each in opened] == [-1, -1]
