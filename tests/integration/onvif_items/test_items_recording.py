"""Acceptance item 41: the camera's own recording, how far it reaches and where it is played."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from harness.onvif_bench import Bench

from gateway.cameras import CameraError, CameraState, OwnRecording, Timeouts
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.vision.devices.own_recording import RecordingWatch

SECONDS = timedelta(seconds=30)


def _is(at: datetime | None, wanted: datetime) -> bool:
    return at is not None and abs(at - wanted) < SECONDS


@pytest.mark.parametrize("quirk", ["own-recording=48", "no-recording-summary", "broken-xml", "http-digest"])
async def test_item_41_the_reach_of_the_recording_and_its_address_are_found(bench: Bench, quirk: str) -> None:
    async with bench("own-recording=48", quirk) as opened:
        own = await opened.client.own_recording()
        searches = opened.simulated.inside.device.counts["EndSearch"]
        stream = opened.simulated.rtsp_url

    now = datetime.now(UTC)
    assert _is(own.begins, now - timedelta(hours=48))
    assert _is(own.ends, now)
    assert own.recordings == 1
    assert own.replay == stream.replace("/main", "/replay/recording-1")
    assert searches == 1  # none is left open: cameras have room for one or two


async def test_item_41_the_times_are_those_of_the_cameras_clock(bench: Bench) -> None:
    async with bench("own-recording", "clock-off=3600") as opened:
        own = await opened.client.own_recording()

    assert _is(own.ends, datetime.now(UTC) + timedelta(hours=1))
    assert abs(own.clock_offset - timedelta(hours=1)) < SECONDS


async def test_item_41_a_recording_that_stopped_says_when(bench: Bench) -> None:
    async with bench("recording-stopped=20") as opened:
        own = await opened.client.own_recording()

    assert _is(own.ends, datetime.now(UTC) - timedelta(minutes=20))


async def test_item_41_no_other_cameras_recording_is_taken_for_its_own(bench: Bench) -> None:
    async with bench("own-recording", "recordings-of-others") as opened:
        assert (await opened.client.own_recording()).replay == opened.simulated.rtsp_url.replace(
            "/main", "/replay/recording-1"
        )
    async with bench("own-recording", "recordings-of-strangers") as opened:
        own = await opened.client.own_recording()
    assert own.replay is None


async def test_item_41_the_replay_is_where_the_camera_is(bench: Bench) -> None:
    async with bench("own-recording", "wrong-host", "uri-credentials") as opened:
        parts = urlsplit((await opened.client.own_recording()).replay or "")

    assert (parts.hostname, parts.username) == ("127.0.0.1", None)


async def test_item_41_a_camera_without_profile_g_says_so(bench: Bench) -> None:
    async with bench() as opened:
        with pytest.raises(CameraError) as caught:
            await opened.client.own_recording()

    assert caught.value.state is CameraState.NO_RECORDING
    assert "memory card" in caught.value.remedy


@pytest.mark.parametrize(
    ("quirk", "gap"),
    [
        ("own-recording=240", ""),
        ("recording-stopped=20.5", "its newest picture is 20 min old"),
        ("recording-shrinks=1", "it reaches back 5 days only"),
    ],
)
async def test_item_41_a_gap_is_seen_by_what_the_camera_says(bench: Bench, quirk: str, gap: str) -> None:
    watch = RecordingWatch(timedelta(minutes=10), timedelta(days=7))
    async with bench("own-recording=240", quirk, "clock-off=3600") as opened:
        verdicts = [watch.judge(await opened.client.own_recording(), SystemClock().now()) for _ in range(2)]

    assert verdicts[-1] is not None
    assert verdicts[-1].gap == gap


async def test_item_41_whatever_is_answered_is_a_recording_or_a_named_error(bench: Bench) -> None:
    told: list[OwnRecording | GatewayError] = []
    for seed in (1, 2):
        async with bench("own-recording", f"mutated-soap={seed}", timeouts=Timeouts(0.5, 0.5, 3.0)) as opened:
            for _ in range(5):
                try:
                    told.append(await opened.client.own_recording())
                except GatewayError as error:
                    told.append(error)
    assert len(told) == 10
