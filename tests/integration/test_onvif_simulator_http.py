"""The simulated camera's HTTP and SOAP: replies that follow the schema, and requests that do not."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest
import requests
from requests.auth import HTTPDigestAuth

from gateway.cameras.containment import undone_side_effects
from gateway.errors import PermanentError
from gateway.simulators.camera import Ports, SimulatedCamera, write_test_recording

with undone_side_effects():
    import onvif
    import zeep as typed_zeep
    from zeep.wsse.username import UsernameToken as TypedToken

zeep: Any = typed_zeep  # half of its functions have no annotations
UsernameToken: Any = TypedToken
WSDL = Path(onvif.__file__).parent.parent / "wsdl"
DEVICE = ("devicemgmt.wsdl", "http://www.onvif.org/ver10/device/wsdl", "DeviceBinding", "/onvif/device_service")
MEDIA = ("media.wsdl", "http://www.onvif.org/ver10/media/wsdl", "MediaBinding", "/onvif/media_service")
EVENTS = ("events.wsdl", "http://www.onvif.org/ver10/events/wsdl", "EventBinding", "/onvif/event_service")
PTZ = ("ptz.wsdl", "http://www.onvif.org/ver20/ptz/wsdl", "PTZBinding", "/onvif/ptz_service")
SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("http") / "squares.mp4", frames=12)


@pytest.fixture
async def camera(recording: Path) -> AsyncIterator[SimulatedCamera]:
    async with SimulatedCamera(recording, username="gate", password="secret") as simulated:
        yield simulated


def _base(camera: SimulatedCamera) -> str:
    return camera.onvif_url.replace("onvif://", "http://")


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    """The WSDL documents, strict."""
    transport = zeep.Transport()
    found = {file: zeep.wsdl.Document(str(WSDL / file), transport) for file, *_ in (DEVICE, MEDIA, EVENTS, PTZ)}
    transport.session.close()
    return found


async def _strictly(
    camera: SimulatedCamera, documents: dict[str, Any], service: tuple[str, str, str, str], calls: dict[str, Any]
) -> dict[str, Any]:
    """What a strict zeep client understands; it raises where a reply leaves the schema."""
    file, namespace, binding, path = service
    with requests.Session() as session:
        token = UsernameToken("gate", "secret", use_digest=True, zulu_timestamp=True)
        client = zeep.Client(documents[file], wsse=token, transport=zeep.Transport(session=session))
        bound = client.create_service(f"{{{namespace}}}{binding}", _base(camera) + path)
        return {name: await asyncio.to_thread(getattr(bound, name), **asked) for name, asked in calls.items()}


async def test_replies_of_the_device_service_follow_the_schema(
    camera: SimulatedCamera, documents: dict[str, Any]
) -> None:
    said = await _strictly(
        camera,
        documents,
        DEVICE,
        {
            "GetSystemDateAndTime": {},
            "GetDeviceInformation": {},
            "GetScopes": {},
            "GetNetworkInterfaces": {},
            "GetServiceCapabilities": {},
            "GetServices": {"IncludeCapability": False},
            "GetCapabilities": {"Category": "All"},
            "GetRelayOutputs": {},
            "SetRelayOutputState": {"RelayOutputToken": "relay-1", "LogicalState": "active"},
        },
    )

    assert said["GetDeviceInformation"]["Model"] == "Simulated Camera"
    named = {service["Namespace"]: service["XAddr"].removeprefix(_base(camera)) for service in said["GetServices"]}
    media2 = {"http://www.onvif.org/ver20/media/wsdl": "/onvif/media2_service"}
    assert named == {each[1]: each[3] for each in (DEVICE, MEDIA, EVENTS, PTZ)} | media2
    assert said["GetCapabilities"]["Media"]["XAddr"] == _base(camera) + MEDIA[3]
    assert said["GetCapabilities"]["Events"]["XAddr"] == _base(camera) + EVENTS[3]
    assert said["GetRelayOutputs"][0]["token"] == "relay-1"
    assert camera.inside.device.relays == {"relay-1": True}
    assert said["GetSystemDateAndTime"]["UTCDateTime"]["Date"]["Year"] >= 2024
    assert said["GetNetworkInterfaces"][0]["IPv4"]["Config"]["Manual"][0]["Address"] == "127.0.0.1"


async def test_replies_of_the_media_service_follow_the_schema(
    camera: SimulatedCamera, documents: dict[str, Any]
) -> None:
    token = {"ProfileToken": "profile_main"}
    calls = {
        "GetProfiles": {},
        "GetProfile": token,
        "GetVideoSources": {},
        "GetStreamUri": token | {"StreamSetup": SETUP},
        "GetSnapshotUri": token,
    }
    said = await _strictly(camera, documents, MEDIA, calls)

    assert [profile["token"] for profile in said["GetProfiles"]] == ["profile_main"]
    assert said["GetProfile"]["VideoEncoderConfiguration"]["Resolution"]["Width"] == 320
    assert said["GetStreamUri"]["Uri"] == camera.rtsp_url
    assert said["GetSnapshotUri"]["Uri"] == camera.snapshot_url


async def test_replies_of_the_event_service_follow_the_schema(
    camera: SimulatedCamera, documents: dict[str, Any]
) -> None:
    calls = {
        "GetServiceCapabilities": {},
        "GetEventProperties": {},
        "CreatePullPointSubscription": {"InitialTerminationTime": "PT60S"},
    }
    said = await _strictly(camera, documents, EVENTS, calls)

    made = said["CreatePullPointSubscription"]
    assert made["SubscriptionReference"]["Address"]["_value_1"] == f"{_base(camera)}/onvif/subscription/1"
    assert 58 <= (made["TerminationTime"] - made["CurrentTime"]).total_seconds() <= 61
    assert len(camera.inside.subscriptions.alive) == 1

    path = "/onvif/subscription/1"
    pulls = (EVENTS[0], EVENTS[1], "PullPointSubscriptionBinding", path)
    said = await _strictly(
        camera,
        documents,
        pulls,
        {"SetSynchronizationPoint": {}, "PullMessages": {"Timeout": "PT1S", "MessageLimit": 3}},
    )
    messages = said["PullMessages"]["NotificationMessage"]
    assert len(messages) == 3
    assert {each["Message"]["_value_1"].get("PropertyOperation") for each in messages} == {"Initialized"}


async def test_replies_of_the_ptz_service_follow_the_schema(camera: SimulatedCamera, documents: dict[str, Any]) -> None:
    token = {"ProfileToken": "profile_main"}
    calls = {
        "GetPresets": token,
        "GotoPreset": token | {"PresetToken": "2"},
        "ContinuousMove": token | {"Velocity": {"PanTilt": {"x": 0.5, "y": 0}}},
        "Stop": token,
    }
    said = await _strictly(camera, documents, PTZ, calls)

    assert [(each["token"], each["Name"]) for each in said["GetPresets"]] == [("1", "Gate"), ("2", "Yard")]
    assert camera.inside.device.movement.moves == [("preset", "2"), ("move", "0.5,0"), ("stop", "")]


async def test_a_tester_makes_things_happen(camera: SimulatedCamera) -> None:
    def post(path: str) -> int:
        return requests.post(f"{_base(camera)}/simulated/{path}", timeout=5).status_code

    assert await asyncio.to_thread(post, "input/1/active") == 200
    assert camera.inside.happenings.states["input/1"].active
    assert await asyncio.to_thread(post, "input/9/active") == 404


async def test_a_fault_says_its_subcodes(camera: SimulatedCamera, documents: dict[str, Any]) -> None:
    with pytest.raises(zeep.exceptions.Fault, match="does not exist") as caught:
        await _strictly(camera, documents, MEDIA, {"GetSnapshotUri": {"ProfileToken": "other"}})

    assert [code.localname for code in caught.value.subcodes] == ["InvalidArgVal", "NoProfile"]


async def test_an_operation_that_does_not_exist_is_said_not_to(
    camera: SimulatedCamera, documents: dict[str, Any]
) -> None:
    with pytest.raises(zeep.exceptions.Fault) as caught:
        await _strictly(camera, documents, DEVICE, {"GetHostname": {}})

    assert [code.localname for code in caught.value.subcodes] == ["ActionNotSupported"]


async def test_a_snapshot_is_a_frame_of_the_recording_behind_digest(camera: SimulatedCamera) -> None:
    def fetch(password: str) -> requests.Response:
        return requests.get(camera.snapshot_url, auth=HTTPDigestAuth("gate", password), timeout=5)

    refused, given = await asyncio.to_thread(fetch, "wrong"), await asyncio.to_thread(fetch, "secret")

    assert refused.status_code == 401
    assert (given.status_code, given.headers["Content-Type"]) == (200, "image/jpeg")
    with av.open(io.BytesIO(given.content), "r") as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (320, 180)
    grey, square = frame.to_ndarray(format="rgb24")[90, 310], frame.to_ndarray(format="rgb24")[10, 10]
    assert abs(int(grey[0]) - 96) < 12
    assert int(square[0]) > 200


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /onvif/x HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"x" * 200_000,
        b"POST /onvif/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /onvif/x HTTP/1.1\r\nContent-Length: z\r\n\r\n",
    ],
)
async def test_nonsense_ends_that_connection_only(camera: SimulatedCamera, nonsense: bytes) -> None:
    host, port = camera.onvif_url.removeprefix("onvif://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(nonsense)
    writer.write_eof()
    try:
        assert await reader.read() == b""
    except ConnectionResetError as error:
        logging.getLogger(__name__).debug("the server reset the connection: %s", error)
    writer.close()

    page = await asyncio.to_thread(requests.get, _base(camera), timeout=5)
    assert page.status_code == 404


async def test_a_port_in_use_is_said_so(camera: SimulatedCamera, recording: Path) -> None:
    taken = int(camera.onvif_url.rpartition(":")[2])
    with pytest.raises(PermanentError, match="Choose a free port"):
        async with SimulatedCamera(recording, ports=Ports(rtsp=taken)):
            pass
