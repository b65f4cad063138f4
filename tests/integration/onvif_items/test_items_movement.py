"""Acceptance items 33 to 35: movement, and the relays of a camera."""

import pytest
from harness.onvif_bench import Bench

from gateway.cameras import CameraError, CameraState, Preset
from gateway.errors import PermanentError


@pytest.mark.parametrize("service", ["media1-only", "media2-only"])
@pytest.mark.parametrize("quirk", ["bare-profile", "wrong-names"])
async def test_item_33_the_profile_that_moves_is_moved(bench: Bench, quirk: str, service: str) -> None:
    async with bench(quirk, service) as opened:
        assert await opened.client.presets() == (Preset("1", "Gate"), Preset("2", "Yard"))
        await opened.client.look_at("2")
        assert opened.simulated.inside.device.movement.moves == [("preset", "2")]


async def test_item_33_no_presets_are_an_empty_list(bench: Bench) -> None:
    async with bench("no-presets") as opened:
        assert await opened.client.presets() == ()


async def test_item_33_300_presets_are_a_list(bench: Bench) -> None:
    async with bench("factory-presets") as opened:
        presets = await opened.client.presets()

    assert len(presets) == 300
    assert presets[41] == Preset("42", "Preset 42")


async def test_item_33_a_camera_that_does_not_move_says_so(bench: Bench) -> None:
    async with bench("no-get-services") as opened:
        with pytest.raises(PermanentError, match="does not exist"):
            await opened.client.look_at("99")
    async with bench("no-profiles") as opened:
        with pytest.raises(CameraError) as caught:
            await opened.client.presets()
        assert caught.value.state is CameraState.NO_MEDIA_PROFILE


async def test_item_34_a_camera_without_stop_is_given_a_velocity_of_zero(bench: Bench) -> None:
    async with bench("no-stop") as opened:
        await opened.client.move((0.5, 0.0))
        await opened.client.stop()
        assert opened.simulated.inside.device.movement.moves == [("move", "0.5,0"), ("move", "0,0")]


async def test_item_34_a_camera_with_stop_is_stopped(bench: Bench) -> None:
    async with bench() as opened:
        await opened.client.stop()
        assert opened.simulated.inside.device.movement.moves == [("stop", "")]


async def test_item_34_a_zoom_that_was_asked_for_is_stopped_too(bench: Bench) -> None:
    async with bench() as opened:
        await opened.client.move(None, zoom=0.5)
        await opened.client.stop()
        await opened.client.stop()
        assert opened.simulated.inside.device.movement.moves[1:] == [("stop", "zoom"), ("stop", "")]


async def test_item_35_only_the_axes_that_were_asked_for_are_named(bench: Bench) -> None:
    async with bench("no-zoom") as opened:
        await opened.client.move((0.25, -0.5))
        assert opened.simulated.inside.device.movement.moves == [("move", "0.25,-0.5")]
        with pytest.raises(PermanentError, match="no zoom"):
            await opened.client.move(None, zoom=0.5)


async def test_a_relay_is_switched(bench: Bench) -> None:
    async with bench() as opened:
        await opened.client.switch("relay-1", on=True)
        assert opened.simulated.inside.device.relays == {"relay-1": True}
        await opened.client.switch("relay-1", on=False)
        assert opened.simulated.inside.device.relays == {"relay-1": False}
        with pytest.raises(PermanentError, match="Unknown relay"):
            await opened.client.switch("relay-9", on=True)
