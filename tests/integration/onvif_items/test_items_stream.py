"""Acceptance items 2, 17 and 36 to 40: the stream, pictures, secrets, and how much a camera is asked at once."""

import asyncio
import io
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import av
import pytest
from fixtures_recordings import write_recording
from harness.onvif_bench import PASSWORD, Bench, Hearing, state_of

from gateway.cameras import CameraError, CameraState, Login, OnvifCamera
from gateway.clock import SystemClock
from gateway.simulators.camera import SimulatedCamera
from gateway.streams import (
    Backoff,
    Frame,
    LatchSwitch,
    LossReason,
    PacketRing,
    StreamLive,
    StreamLost,
    StreamSource,
    VideoStream,
)
from gateway.vision.certificates import end_of
from gateway.vision.devices.profile_drift import ProfileWatch


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("stream") / "long.mp4", frames=100)


def _stream(
    url: str, *, ring: PacketRing | None = None, latch: LatchSwitch | None = None, **options: Any
) -> VideoStream:
    source = StreamSource(url=url, open_timeout_seconds=3, read_timeout_seconds=1.5, **options)
    return VideoStream(source, clock=SystemClock(), ring=ring, latch=latch, backoff=Backoff(lambda low, high: 0.02))


def _next(stream: VideoStream, kind: type[Frame] | type[StreamLost]) -> Any:
    for _ in range(600):
        found = stream.next(0.1)
        if isinstance(found, kind):
            return found
    pytest.fail(f"no {kind.__name__} came; the state is {stream.state}")


async def _in_thread(work: Callable[[], None]) -> None:
    await anyio.to_thread.run_sync(work)


async def test_item_02_a_redirect_to_another_machine_is_not_followed(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, username="gate", password=PASSWORD, quirks=["redirects"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url, username="gate", password=PASSWORD) as stream:
                assert _next(stream, StreamLost).reason is LossReason.REDIRECTED

        await _in_thread(look)


async def test_item_02_a_stream_outside_the_networks_of_cameras_is_not_opened(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url, networks=("10.0.0.0/8",)) as stream:
                assert _next(stream, StreamLost).reason is LossReason.ELSEWHERE
            with _stream(camera.rtsp_url.replace("127.0.0.1", "localhost"), networks=("127.0.0.0/8",)) as stream:
                _next(stream, Frame)

        await _in_thread(look)


async def test_item_17_codec_and_size_are_those_of_the_stream(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["wrong-size", "h265-profile"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                _next(stream, Frame)
                state = stream.state
            assert isinstance(state, StreamLive)
            assert (state.width, state.height, state.codec) == (192, 108, "h264")

        await _in_thread(look)


async def test_item_17_a_profile_that_says_other_than_before_is_told_with_both(bench: Bench) -> None:
    watch = ProfileWatch()
    async with bench("profile-drift=1") as opened:
        looks = [watch.judge((await opened.client.probe()).profiles) for _ in range(3)]

    assert [len(each) for each in looks] == [0, 2, 0]
    assert looks[1][0].before.startswith("320x180 H264")
    assert looks[1][0].now.startswith("160x90 H264")


async def test_item_07_a_stream_over_tls_plays_and_the_end_of_its_certificate_is_known(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["rtsps", "certificate-ends=20"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                _next(stream, Frame)
                ends = end_of(stream.certificate)
            assert ends is not None
            assert 19 <= (ends - SystemClock().now()).days <= 20

        await _in_thread(look)


@pytest.mark.parametrize(
    ("quirk", "reasons"),
    [
        ("stall=0.5", {LossReason.STALLED}),
        ("frozen", {LossReason.TIMEOUT}),
        ("stream-dies=0.5", {LossReason.ENDED, LossReason.CLOSED}),
        ("rtp-jump=0.5", {LossReason.CLOCK_JUMP}),
        ("rtp-stuck", {LossReason.CLOCK_STUCK}),
        ("unknown-codec", {LossReason.INVALID_DATA}),
    ],
)
async def test_item_36_each_end_of_a_stream_has_a_name_and_is_tried_again(
    long_recording: Path, quirk: str, reasons: set[LossReason]
) -> None:
    async with SimulatedCamera(long_recording, quirks=[quirk]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                lost = _next(stream, StreamLost)
                assert lost.reason in reasons
                assert lost.retry_seconds is not None

        await _in_thread(look)


@pytest.mark.parametrize("wanted", [None, False, True])
async def test_item_36_a_clock_that_stands_still_is_one_loss_and_all_its_pictures_are_kept(
    long_recording: Path, wanted: bool | None
) -> None:
    """As a camera's only stream, and as a main stream that is decoded or not."""
    async with SimulatedCamera(long_recording, quirks=["rtp-stuck"]) as camera:

        def look() -> None:
            latch, ring = LatchSwitch(), PacketRing()
            latch.want(pictures=bool(wanted))
            with _stream(camera.rtsp_url, ring=ring, latch=latch if wanted is not None else None) as stream:
                first = _next(stream, StreamLost)
                told, until = [], time.monotonic() + 6
                while time.monotonic() < until:
                    told.append(stream.next(0.1))
                    assert isinstance(stream.state, StreamLost)
                assert not [each for each in told if isinstance(each, StreamLost)]
                assert bool([each for each in told if isinstance(each, Frame)]) is (wanted is not False)
                state = stream.state
                assert isinstance(state, StreamLost)
                assert (state.since, state.reason, stream.counters.losses) == (first.since, LossReason.CLOCK_STUCK, 1)
                clip = ring.clip(4)
            assert clip.pictures > 75
            with av.open(io.BytesIO(clip.mp4), "r") as container:
                assert len(list(container.decode(video=0))) == clip.pictures

        await _in_thread(look)


async def test_item_36_a_clock_that_goes_again_ends_the_loss(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["rtp-stuck"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                _next(stream, StreamLost)
                camera._quirks.values.clear()  # type: ignore[attr-defined]  # restarted, its clock goes
                for _ in range(600):
                    stream.next(0.05)
                    if isinstance(stream.state, StreamLive):
                        return
                pytest.fail("the loss did not end")

        await _in_thread(look)


async def test_item_36_a_name_in_another_encoding_ends_no_stream(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["gbk-name"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                _next(stream, Frame)

        await _in_thread(look)


async def test_item_36_a_refusal_and_a_wrong_path_have_names(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, username="gate", password=PASSWORD) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url, username="gate", password="wrong") as stream:
                assert _next(stream, StreamLost).reason is LossReason.UNAUTHORIZED
            with _stream(camera.rtsp_url + "/no", username="gate", password=PASSWORD) as stream:
                assert _next(stream, StreamLost).reason is LossReason.NOT_FOUND

        await _in_thread(look)


async def test_item_36_no_free_session_has_a_name_and_a_free_one_is_taken(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["one-session"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as first:
                _next(first, Frame)
                with _stream(camera.rtsp_url) as second:
                    assert _next(second, StreamLost).reason is LossReason.BUSY
                    first.stop()
                    _next(second, Frame)

        await _in_thread(look)


@pytest.mark.parametrize(("b_frames", "slices"), [(0, 1), (2, 1), (0, 3)])
async def test_item_37_a_clip_is_complete_and_plays(tmp_path: Path, b_frames: int, slices: int) -> None:
    recording = write_recording(tmp_path / "clip.mp4", frames=60, b_frames=b_frames, slices=slices)
    async with SimulatedCamera(recording) as camera:

        def look() -> None:
            ring = PacketRing()
            with _stream(camera.rtsp_url, ring=ring) as stream:
                for _ in range(25):
                    _next(stream, Frame)
                clip = ring.clip(10, 0.3)
            with av.open(io.BytesIO(clip.mp4), "r") as container:
                assert len(list(container.decode(video=0))) == clip.pictures > 20

        await _in_thread(look)


async def test_item_38_a_camera_is_pulled_once_and_gives_pictures_meanwhile(long_recording: Path) -> None:
    async with SimulatedCamera(long_recording, quirks=["one-session", "no-snapshot"]) as camera:

        def look() -> None:
            with _stream(camera.rtsp_url) as stream:
                picture = _next(stream, Frame).rgb(width=96)
                assert picture.shape == (54, 96, 3)
                assert len(camera.inside.rtsp.open_sessions) == 1

        await _in_thread(look)


@pytest.mark.parametrize(
    "quirk", ["http-digest", "bare-403", "not-onvif", "broken-xml", "events-claimed", "no-profiles"]
)
@pytest.mark.parametrize("password", [PASSWORD, "wr0ng:p@ss/w#1"])
async def test_item_39_no_secret_comes_out(
    bench: Bench, quirk: str, password: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bench(quirk, password=password) as opened:
        told = [repr(opened.client), repr(opened.client.events)]
        try:
            told.append(repr(await opened.client.probe()))
            async with Hearing(opened.client) as hearing:
                await asyncio.sleep(0.2)
            told.append(repr((hearing.losses, hearing.findings)))
        except CameraError as error:
            told += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]

    streams = capfd.readouterr()
    everything = "\n".join([*told, caplog.text, streams.out, streams.err])
    for secret in (password, "p%40ss%3Aw%2Frd%231", "wr0ng%3Ap%40ss%2Fw%231"):
        assert secret not in everything


async def test_item_40_a_camera_is_asked_two_things_at_once_at_most(bench: Bench) -> None:
    async with bench("few-requests=2") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        await asyncio.gather(
            *(state_of(opened.client) for _ in range(4)),
            *(opened.client.look_at("1") for _ in range(4)),
            *(opened.client.switch("relay-1", on=True) for _ in range(4)),
        )
        assert opened.simulated.inside.pages.most_at_once <= 2
        assert opened.simulated.inside.http.restarts == 0


async def test_a_camera_outside_its_networks_is_told_nothing(recordings: tuple[Path, Path]) -> None:
    async with SimulatedCamera(recordings[0], username="gate", password=PASSWORD) as simulated:
        client = OnvifCamera(simulated.onvif_url, Login("gate", PASSWORD), networks=("10.0.0.0/8",))
        assert await state_of(client) is CameraState.ELSEWHERE
        assert simulated.inside.device.counts == {}
        await client.close()
