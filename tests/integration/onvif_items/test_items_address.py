"""Acceptance items 1 to 7: address and connection."""

import asyncio
import time

import pytest
from harness.onvif_bench import JPEG, PASSWORD, Bench, state_of

from gateway.cameras import CameraError, CameraState, Timeouts
from gateway.clock import SystemClock
from gateway.vision.certificates import end_of


async def test_item_01_every_wrong_host_is_replaced(bench: Bench) -> None:
    async with bench("wrong-host") as opened:
        said = await opened.client.probe()
        assert said.state is CameraState.OK
        assert said.snapshot == opened.simulated.snapshot_url
        assert (await opened.client.snapshot()).startswith(JPEG)


@pytest.mark.parametrize("quirks", [("wrong-host",), ("uri-credentials",), ("wrong-host", "uri-credentials")])
async def test_item_02_the_stream_has_the_typed_host_and_no_foreign_credentials(
    bench: Bench, quirks: tuple[str, ...]
) -> None:
    async with bench(*quirks) as opened:
        said = await opened.client.probe()

    assert (said.stream, said.sub_stream) == (opened.simulated.rtsp_url, opened.simulated.rtsp_sub_url)


async def test_item_04_a_dead_port_costs_seconds_and_the_typed_one_is_taken(bench: Bench) -> None:
    async with bench("dead-port", timeouts=Timeouts(2.0, 15.0, 60.0)) as opened:
        began = time.monotonic()
        assert await state_of(opened.client) is CameraState.OK
        # The read timeout of 15 s was not waited for even once.
        assert time.monotonic() - began < 10


async def test_item_04_a_frozen_camera_does_not_delay_another(bench: Bench) -> None:
    async with bench("frozen") as frozen, bench() as sound:
        hanging = asyncio.create_task(state_of(frozen.client))
        assert await state_of(sound.client) is CameraState.OK
        assert not hanging.done()
        assert await hanging is CameraState.UNREACHABLE


async def test_item_04_closing_ends_what_is_under_way(bench: Bench) -> None:
    async with bench("frozen", timeouts=Timeouts(2.0, 60.0, 60.0)) as opened:
        hanging = asyncio.create_task(state_of(opened.client))
        await asyncio.sleep(0.2)
        await opened.client.close()
        assert await asyncio.wait_for(hanging, 10) is CameraState.UNREACHABLE


@pytest.mark.parametrize(
    ("quirk", "state"),
    [
        ("frozen", CameraState.UNREACHABLE),
        ("not-onvif", CameraState.NOT_ONVIF),
        ("empty-body", CameraState.NOT_ONVIF),
        ("stack-trace", CameraState.NOT_ONVIF),
        ("no-profiles", CameraState.NO_MEDIA_PROFILE),
        ("empty-stream-uri", CameraState.STREAM_DEAD),
        ("clock-off=60", CameraState.CLOCK_OFF),
        ("broken-xml", CameraState.OK),
    ],
)
async def test_item_05_what_is_wrong_has_its_state(bench: Bench, quirk: str, state: CameraState) -> None:
    async with bench(quirk) as opened:
        assert await state_of(opened.client) is state


async def test_item_05_refused_and_wrong_credentials_have_their_states(bench: Bench) -> None:
    async with bench(password="wrong") as opened:
        assert await state_of(opened.client) is CameraState.CREDENTIALS_WRONG
    async with bench() as opened:
        pass
    assert await state_of(opened.client) in (CameraState.REFUSED, CameraState.UNREACHABLE)


async def test_item_06_a_closed_connection_is_asked_once_more(bench: Bench) -> None:
    async with bench("close-after-reply") as opened:
        assert await state_of(opened.client) is CameraState.OK
        assert (await opened.client.snapshot()).startswith(JPEG)


async def test_item_07_a_certificate_is_trusted_by_its_fingerprint_only(bench: Bench) -> None:
    async with bench("https", fingerprint="right") as opened:
        said = await opened.client.probe()
        assert said.snapshot == opened.simulated.snapshot_url
        assert (await opened.client.snapshot()).startswith(JPEG)


async def test_item_07_the_end_of_a_certificate_is_known(bench: Bench) -> None:
    async with bench("https", "certificate-ends=20", fingerprint="right") as opened:
        assert opened.client.certificate == b""
        await opened.client.probe()
        ends = end_of(opened.client.certificate)

    assert ends is not None
    assert 19 <= (ends - SystemClock().now()).days <= 20


@pytest.mark.parametrize("fingerprint", ["", "0" * 64])
async def test_item_07_an_unknown_certificate_is_told_with_its_fingerprint(bench: Bench, fingerprint: str) -> None:
    async with bench("https", fingerprint=fingerprint) as opened:
        with pytest.raises(CameraError) as caught:
            await opened.client.probe()
        assert opened.simulated.inside.fingerprint in caught.value.what
        assert opened.simulated.inside.door.wrong_tries == 0

    assert caught.value.state is CameraState.CERTIFICATE_UNKNOWN
    assert PASSWORD not in str(caught.value)
