"""Acceptance items 8 to 14: authentication and time."""

import pytest
from harness.onvif_bench import JPEG, Bench, checked, state_of

from gateway.cameras import CameraError, CameraState
from gateway.clock import ManualClock, SystemClock


@pytest.mark.parametrize("quirk", ["zulu-only", "http-digest", "digest-and-token"])
async def test_item_08_each_kind_of_login_is_found_out(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        assert await state_of(opened.client) is CameraState.OK
        assert (await opened.client.snapshot()).startswith(JPEG)
        assert opened.simulated.inside.door.wrong_tries == 0


async def test_item_08_an_open_camera_needs_none(bench: Bench) -> None:
    async with bench(owner="", username="", password="") as opened:
        assert await state_of(opened.client) is CameraState.OK


@pytest.mark.parametrize("quirk", ["no-utc-time", "no-time", "nonsense-time", "time-needs-login"])
async def test_item_09_the_clock_is_learnt_as_far_as_it_is_told(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened:
        said = await opened.client.probe()

    assert said.state is CameraState.OK
    knows = quirk in ("no-utc-time", "time-needs-login")
    assert said.clock_offset_seconds == (pytest.approx(0, abs=3) if knows else None)


async def test_item_09_local_time_and_zone_give_the_offset(bench: Bench) -> None:
    async with bench("no-utc-time", "clock-off=1800") as opened:
        assert (await opened.client.probe()).clock_offset_seconds == pytest.approx(1800, abs=3)


async def test_item_10_a_camera_that_restarted_is_no_wrong_password(bench: Bench) -> None:
    async with bench("clock-resets=4") as opened:
        first = await opened.client.probe()
        second = await opened.client.probe()
        assert opened.simulated.inside.device.clock.reset_at is not None

    assert second.clock_offset_seconds is not None
    assert second.clock_offset_seconds < -365 * 86400
    assert first.stream == second.stream
    assert second.state is CameraState.CLOCK_OFF


async def test_item_11_a_clock_that_is_off_is_told_with_its_figure_and_not_set(bench: Bench) -> None:
    async with bench("clock-off=-7200") as opened:
        said = await opened.client.probe()
        assert "SetSystemDateAndTime" not in opened.simulated.inside.device.counts

    assert said.state is CameraState.CLOCK_OFF
    assert said.clock_offset_seconds == pytest.approx(-7200, abs=3)


@pytest.mark.parametrize("more", [(), ("http-digest",), ("digest-and-token",), ("bare-403",), ("time-needs-login",)])
async def test_item_12_a_wrong_password_never_locks_the_camera(bench: Bench, more: tuple[str, ...]) -> None:
    clock = ManualClock(SystemClock().now())
    async with bench("locks-out=5", *more, password="wrong", clock=clock) as opened:
        for _ in range(20):
            assert await state_of(opened.client) is CameraState.CREDENTIALS_WRONG
        door = opened.simulated.inside.door
        assert 1 <= door.wrong_tries <= 3
        clock.advance(301)
        await state_of(opened.client)
        assert door.wrong_tries <= 4
        assert not door.is_locked


@pytest.mark.parametrize(
    "quirks", [(), ("http-digest",), ("wordy-refusal",), ("bare-403",), ("undeclared-prefix",), ("clock-off=900",)]
)
async def test_item_13_a_refusal_is_known_in_any_words(bench: Bench, quirks: tuple[str, ...]) -> None:
    async with bench(*quirks, password="wrong") as opened:
        assert await state_of(opened.client) is CameraState.CREDENTIALS_WRONG


async def test_item_14_the_remedy_names_onvif_users(bench: Bench) -> None:
    async with bench(password="wrong") as opened:
        with pytest.raises(CameraError) as caught:
            await opened.client.probe()

    assert "ONVIF users apart from those of their web page" in checked(caught.value).remedy
