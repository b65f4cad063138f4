"""The ONVIF client against the simulated camera: as it should be, and with each quirk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from gateway.cameras import CameraError, CameraState, Login, OnvifCamera, OnvifLibrary, Timeouts
from gateway.clock import ManualClock, SystemClock
from gateway.simulators.camera import SimulatedCamera, write_test_recording

PASSWORD = "p@ss:w/rd#1"
JPEG = b"\xff\xd8\xff"


@pytest.fixture(scope="module")
def library() -> OnvifLibrary:
    return OnvifLibrary()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("onvif")
    main = write_test_recording(folder / "main.mp4", frames=12)
    return main, write_test_recording(folder / "sub.mp4", width=160, height=90, frames=12)


@dataclass(frozen=True)
class Opened:
    """One simulated camera and the client that asks it."""

    simulated: SimulatedCamera
    client: OnvifCamera


class Bench(Protocol):
    """Opens a camera with quirks and a client with credentials."""

    def __call__(
        self, *quirks: str, username: str = "gate", password: str = PASSWORD, owner: str = "gate"
    ) -> AbstractAsyncContextManager[Opened]: ...


@pytest.fixture
def bench(recordings: tuple[Path, Path], library: OnvifLibrary) -> Bench:
    @asynccontextmanager
    async def opened(
        *quirks: str, username: str = "gate", password: str = PASSWORD, owner: str = "gate"
    ) -> AsyncIterator[Opened]:
        main, sub = recordings
        async with SimulatedCamera(main, sub=sub, username=owner, password=PASSWORD, quirks=quirks) as simulated:
            client = OnvifCamera(
                simulated.onvif_url,
                Login(username, password),
                library=library,
                timeouts=Timeouts(2.0, 1.0 if "frozen" in quirks else 5.0, 20.0),
            )
            try:
                yield Opened(simulated, client)
            finally:
                await client.close()

    return opened


async def _state(client: OnvifCamera) -> CameraState:
    try:
        return (await client.probe()).state
    except CameraError as error:
        told = str(error)
        if PASSWORD in told or error.state.remedy not in told:
            raise AssertionError(told) from None
        return error.state


async def test_a_camera_is_described(bench: Bench) -> None:
    async with bench() as opened:
        said = await opened.client.probe()

    assert (said.manufacturer, said.model, said.firmware) == ("Campus Gateway", "Simulated Camera", "1.0")
    assert [(p.width, p.height, p.codec, p.frames_per_second) for p in said.profiles] == [
        (320, 180, "H264", 12.0),
        (160, 90, "H264", 12.0),
    ]
    assert said.stream == opened.simulated.rtsp_url
    assert said.sub_stream == opened.simulated.rtsp_sub_url
    assert said.snapshot == opened.simulated.snapshot_url
    assert said.clock_offset_seconds == pytest.approx(0, abs=3)
    assert said.state is CameraState.OK


async def test_a_camera_with_one_stream_has_no_sub_stream(recordings: tuple[Path, Path], library: OnvifLibrary) -> None:
    async with SimulatedCamera(recordings[0]) as simulated:
        client = OnvifCamera(simulated.onvif_url, library=library)
        said = await client.probe()
        await client.close()

    assert said.sub_stream is None
    assert len(said.profiles) == 1


async def test_an_open_camera_needs_no_credentials(bench: Bench) -> None:
    async with bench(owner="", username="") as opened:
        assert await _state(opened.client) is CameraState.OK
        assert (await opened.client.snapshot()).startswith(JPEG)


@pytest.mark.parametrize(
    "quirk",
    [
        "wrong-host",
        "http-digest",
        "zulu-only",
        "no-utc-time",
        "no-get-services",
        "wrong-size",
        "close-after-reply",
        "basic-snapshot",
    ],
)
async def test_a_quirk_that_the_gateway_copes_with(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        said = await opened.client.probe()
        assert said.state is CameraState.OK
        assert said.stream == opened.simulated.rtsp_url
        assert said.snapshot == opened.simulated.snapshot_url
        assert (await opened.client.snapshot()).startswith(JPEG)


async def test_all_harmless_quirks_at_once(bench: Bench) -> None:
    async with bench("wrong-host", "zulu-only", "clock-off=-7200", "no-get-services", "close-after-reply") as opened:
        said = await opened.client.probe()
        assert said.state is CameraState.CLOCK_OFF
        assert said.clock_offset_seconds == pytest.approx(-7200, abs=3)
        assert (await opened.client.snapshot()).startswith(JPEG)


async def test_a_clock_that_is_off_is_told_with_its_figure_and_does_no_harm(bench: Bench) -> None:
    async with bench("clock-off=3600") as opened:
        said = await opened.client.probe()

    assert said.state is CameraState.CLOCK_OFF
    assert said.clock_offset_seconds == pytest.approx(3600, abs=3)


@pytest.mark.parametrize(
    ("quirk", "state"),
    [
        ("no-profiles", CameraState.NO_MEDIA_PROFILE),
        ("empty-stream-uri", CameraState.STREAM_DEAD),
        ("not-onvif", CameraState.NOT_ONVIF),
        ("empty-body", CameraState.NOT_ONVIF),
        ("stack-trace", CameraState.NOT_ONVIF),
        ("frozen", CameraState.UNREACHABLE),
    ],
)
async def test_a_quirk_that_has_a_state(bench: Bench, quirk: str, state: CameraState) -> None:
    async with bench(quirk) as opened:
        assert await _state(opened.client) is state


@pytest.mark.parametrize("quirk", ["no-snapshot", "empty-snapshot", "html-snapshot"])
async def test_a_camera_without_pictures_still_has_its_stream(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        assert (await opened.client.probe()).stream == opened.simulated.rtsp_url
        with pytest.raises(CameraError) as caught:
            await opened.client.snapshot()

    assert caught.value.state is CameraState.NO_SNAPSHOT


@pytest.mark.parametrize("quirks", [(), ("http-digest",), ("undeclared-prefix",), ("clock-off=900",)])
@pytest.mark.parametrize(("username", "password"), [("gate", "wrong"), ("other", PASSWORD), ("", "")])
async def test_wrong_credentials_are_named(bench: Bench, quirks: tuple[str, ...], username: str, password: str) -> None:
    async with bench(*quirks, username=username, password=password) as opened:
        assert await _state(opened.client) is CameraState.CREDENTIALS_WRONG


async def test_after_three_refusals_the_camera_is_left_in_peace(
    recordings: tuple[Path, Path], library: OnvifLibrary
) -> None:
    clock = ManualClock(SystemClock().now())
    async with SimulatedCamera(recordings[0], username="gate", password=PASSWORD) as simulated:
        client = OnvifCamera(simulated.onvif_url, Login("gate", "wrong"), library=library, clock=clock)
        for _ in range(3):
            assert await _state(client) is CameraState.CREDENTIALS_WRONG
    # The camera is gone: whoever asked it now would learn that it refuses connections.
    assert await _state(client) is CameraState.CREDENTIALS_WRONG
    clock.advance(301)
    assert await _state(client) is CameraState.REFUSED
    await client.close()


async def test_many_questions_at_once_are_asked_one_after_the_other(bench: Bench) -> None:
    async with bench() as opened:
        pictures = await asyncio.gather(*(opened.client.snapshot() for _ in range(6)))

    assert all(picture.startswith(JPEG) for picture in pictures)


async def test_a_frozen_camera_does_not_delay_another(bench: Bench) -> None:
    async with bench("frozen") as frozen, bench() as sound:
        hanging = asyncio.create_task(_state(frozen.client))
        assert await _state(sound.client) is CameraState.OK
        assert not hanging.done()
        assert await hanging is CameraState.UNREACHABLE


async def test_the_deadline_holds_whatever_the_camera_does(
    recordings: tuple[Path, Path], library: OnvifLibrary
) -> None:
    async with SimulatedCamera(recordings[0], quirks=["frozen"]) as simulated:
        client = OnvifCamera(simulated.onvif_url, library=library, timeouts=Timeouts(2.0, 30.0, 0.5))
        with pytest.raises(CameraError) as caught:
            await client.probe()

    assert caught.value.state is CameraState.UNREACHABLE
    await client.close()
