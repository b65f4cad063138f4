"""Acceptance items 15 to 19: media."""

import pytest
from harness.onvif_bench import JPEG, Bench

from gateway.cameras import CameraError, CameraState


@pytest.mark.parametrize(
    ("quirks", "asked", "never"),
    [
        ((), 1, False),
        (("media2-only",), 1, False),
        (("media1-only",), 1, False),
        (("media2-broken",), 2, False),
        (("no-get-services",), 1, False),
    ],
)
async def test_item_15_either_media_service_will_do(
    bench: Bench, quirks: tuple[str, ...], asked: int, never: bool
) -> None:
    async with bench(*quirks) as opened:
        said = await opened.client.probe()
        assert opened.simulated.inside.device.counts["GetProfiles"] == asked

    assert [(each.token, each.width) for each in said.profiles] == [("profile_main", 320), ("profile_sub", 160)]
    assert said.stream == opened.simulated.rtsp_url
    assert said.snapshot == opened.simulated.snapshot_url


@pytest.mark.parametrize("service", ["media1-only", "media2-only"])
@pytest.mark.parametrize("quirk", ["h265-profile", "bare-profile", "wrong-names"])
async def test_item_16_main_and_sub_are_chosen_by_size(bench: Bench, quirk: str, service: str) -> None:
    async with bench(quirk, service) as opened:
        said = await opened.client.probe()

    assert (said.stream, said.sub_stream) == (opened.simulated.rtsp_url, opened.simulated.rtsp_sub_url)
    codec = "H265" if quirk == "h265-profile" else "H264"
    assert {each.codec for each in said.profiles if each.width} == {codec}


@pytest.mark.parametrize("quirk", ["no-snapshot", "empty-snapshot-uri", "rtsp-snapshot-uri"])
async def test_item_18_where_there_is_no_snapshot_the_stream_is_there(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        said = await opened.client.probe()
        with pytest.raises(CameraError) as caught:
            await opened.client.snapshot()

    assert (said.snapshot, said.stream) == (None, opened.simulated.rtsp_url)
    assert caught.value.state is CameraState.NO_SNAPSHOT


@pytest.mark.parametrize("quirk", ["expiring-snapshot", "basic-snapshot"])
async def test_item_18_a_snapshot_is_taken_again_and_again(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        for _ in range(3):
            assert (await opened.client.snapshot()).startswith(JPEG)


@pytest.mark.parametrize("quirk", ["empty-snapshot", "html-snapshot", "wrong-snapshot"])
async def test_item_19_what_is_no_picture_is_none(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        with pytest.raises(CameraError) as caught:
            await opened.client.snapshot()

    assert caught.value.state is CameraState.NO_SNAPSHOT
