"""The feed: one subscription at a time, renewed in time, made anew on faults, always ended."""

import asyncio

import pytest
from harness.feed_bench import GONE, SILENT, Ends, Port, fed

from gateway.cameras.eventing.feed import EventFeed, FeedEnds
from gateway.cameras.eventing.notices import Notice
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.clock import ManualClock
from gateway.errors import PermanentError


async def test_it_subscribes_once_asks_for_the_state_and_pulls_for_ever() -> None:
    port = Port(ManualClock())
    async with fed(port) as (ends, passes):
        await passes(35)
        assert port.calls[:2] == ["subscribe", "synchronize"]
        assert port.calls.count("subscribe") == 1
        assert port.calls.count("pull") == 4
        assert len(ends.taken) == 3
    assert port.calls[-1] == "unsubscribe"


@pytest.mark.parametrize(("granted", "renewals"), [(600.0, 2), (None, 2), (300.0, 4), (10.0, 16)])
async def test_it_renews_at_four_fifths_and_at_most_once_a_minute(granted: float | None, renewals: int) -> None:
    port = Port(ManualClock(), grants=lambda _absolute: granted)
    async with fed(port) as (_ends, passes):
        await passes(1010)
        made = [call for call in port.calls if call.startswith("renew")]
        # One of those of a grant that is too short is the switch to an absolute time.
        assert len(made) - (1 if granted == 10.0 else 0) <= renewals
        assert len(made) >= 2


async def test_a_grant_that_is_too_short_is_asked_for_as_an_absolute_time() -> None:
    port = Port(ManualClock(), grants=lambda absolute: 600.0 if absolute else 10.0)
    async with fed(port) as (_ends, passes):
        await passes(1)
        assert port.calls[:2] == ["subscribe", "renew at"]
        await passes(500)
        assert port.calls.count("renew at") == 2
        assert port.calls.count("subscribe") == 1


@pytest.mark.parametrize("error", [GONE, camera_error(CameraState.UNREACHABLE, "no", where="x")])
async def test_a_failed_renewal_means_a_new_subscription(error: Exception) -> None:
    port = Port(ManualClock(), failing_renew=error)
    async with fed(port) as (ends, passes):
        await passes(500)
        assert port.calls.count("subscribe") == 2
        assert port.calls.count("unsubscribe") == 1
        assert len(ends.losses) == 1


async def test_a_fault_on_pull_means_a_new_subscription() -> None:
    port = Port(ManualClock(), pulls=[(), GONE])
    async with fed(port) as (ends, passes):
        await passes(30)
        assert port.calls.count("subscribe") == 2
        assert ends.losses == ["gone"]


async def test_what_nobody_foresaw_means_a_new_subscription() -> None:
    port = Port(ManualClock(), pulls=[(), ZeroDivisionError()])
    async with fed(port) as (ends, passes):
        await passes(30)
        assert port.calls.count("subscribe") == 2
        assert port.calls.count("unsubscribe") == 1
        assert ends.losses == ["the camera sends what the gateway cannot read"]


async def test_a_closed_connection_means_the_same_subscription() -> None:
    port = Port(ManualClock(), pulls=[SILENT, (), SILENT, SILENT, ()])
    async with fed(port) as (ends, passes):
        await passes(30)
        assert port.calls.count("subscribe") == 1
        assert ends.losses == []


async def test_three_in_a_row_are_a_loss() -> None:
    port = Port(ManualClock(), pulls=[SILENT, SILENT, SILENT])
    async with fed(port) as (ends, passes):
        await passes(10)
        assert port.calls.count("subscribe") == 2
        assert ends.losses == ["the camera does not answer"]


async def test_a_camera_without_events_is_left_in_peace_for_ten_minutes() -> None:
    nothing = camera_error(CameraState.NO_EVENTS, "none", where="x")
    port = Port(ManualClock(), failing_subscribe=[nothing, nothing])
    async with fed(port) as (ends, passes):
        await passes(590)
        assert port.calls == ["subscribe", "metadata"]
        assert ends.losses == ["none; no track"]


async def test_one_that_had_events_and_restarts_is_not_left_for_ten_minutes() -> None:
    port = Port(ManualClock(), pulls=[(), GONE])
    async with fed(port) as (ends, passes):
        await passes(5)
        port.failing_subscribe = [camera_error(CameraState.NO_EVENTS, "starting", where="x")] * 3
        await passes(60)
        assert "starting; no track" in ends.losses
        assert port.failing_subscribe == []
        assert port.calls[-1] == "pull"


async def test_one_that_is_ended_while_its_grant_is_made_longer_is_ended_at_the_camera() -> None:
    port = Port(ManualClock(), grants=lambda _absolute: 10.0, renew_takes=5.0)
    async with fed(port) as (_ends, passes):
        await passes(2)
        assert port.calls == ["subscribe", "renew at"]
    assert port.calls[-1] == "unsubscribe"


async def test_a_camera_that_only_pushes_is_told_where_to() -> None:
    port = Port(ManualClock(), failing_subscribe=[camera_error(CameraState.NO_EVENTS, "none", where="x")])
    async with fed(port, Ends(consumer="http://here/1")) as (ends, passes):
        await passes(130)
        assert port.calls[:3] == ["subscribe", "push to http://here/1", "synchronize"]
        assert port.calls.count("renew") == 2
        assert "pull" not in port.calls
        assert len(ends.taken) == 3


async def test_refused_credentials_end_the_subscription() -> None:
    port = Port(ManualClock(), pulls=[camera_error(CameraState.CREDENTIALS_WRONG, "no", where="x")])
    async with fed(port) as (ends, passes):
        await passes(1)
        assert ends.losses == ["no"]


async def test_a_subscription_that_was_being_made_is_ended() -> None:
    port = Port(ManualClock(), subscribe_takes=5.0)
    async with fed(port) as (_ends, passes):
        await passes(2)
        assert port.calls == ["subscribe"]
        waiting = asyncio.create_task(passes(6))
    await waiting
    assert port.calls == ["subscribe", "unsubscribe"]


@pytest.mark.parametrize("error", [PermanentError("this is no URL"), RuntimeError("nobody foresaw it"), GONE])
@pytest.mark.parametrize("subscribe_takes", [0.0, 5.0])
async def test_nothing_takes_the_place_of_the_end(error: Exception, subscribe_takes: float) -> None:
    """A feed that went on would hold up the end of its camera's watch, and every message behind it."""
    port = Port(ManualClock(), subscribe_takes=subscribe_takes, failing_unsubscribe=error)
    feed = EventFeed(port, FeedEnds(Ends().take, Ends().lost, Ends().address), port.clock, "camera")
    task = asyncio.create_task(feed.run(), name="feed")
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
        port.clock.advance(1)
    assert port.calls[-1] == "unsubscribe"
    assert task.cancelled()


def test_errors_of_the_port_are_those_of_the_room() -> None:
    assert isinstance(SILENT, CameraError)


async def test_a_camera_that_was_away_for_days_is_heard_when_it_is_back() -> None:
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 1500)
    feed = EventFeed(port, FeedEnds(Ends().take, Ends().lost, Ends().address), port.clock, "camera")
    for _ in range(1500):
        _reason, pause = await feed._once()
        assert 0.5 <= pause <= 90


NOTHING = camera_error(CameraState.NO_EVENTS, "none", where="x")


async def test_a_camera_without_subscriptions_is_heard_by_its_metadata_and_again_when_they_broke() -> None:
    notice = (Notice("Device/Trigger/DigitalInput"),)
    port = Port(ManualClock(), failing_subscribe=[NOTHING] * 9, failing_push=NOTHING, metadata=[notice, ()])
    async with fed(port, Ends(consumer="http://me")) as (ends, passes):
        await passes(30)
        assert port.calls[:5] == ["subscribe", "push to http://me", "metadata", "close", "subscribe"]
        assert ends.losses[0] == "the track broke"
        assert ends.taken.count(notice) >= 2
    assert port.calls[-1] == "close"


async def test_one_that_refuses_again_and_again_is_heard_by_its_metadata() -> None:
    port = Port(ManualClock(), failing_subscribe=[FaultError(("Action",), "no")] * 9, metadata=[()] * 99)
    async with fed(port) as (ends, passes):
        await passes(10)
        assert port.calls == ["subscribe"] * 3 + ["metadata"]
        assert ends.losses == ["no", "no"]


async def test_one_that_has_no_slot_and_no_metadata_is_not_left_for_ten_minutes() -> None:
    port = Port(ManualClock(), failing_subscribe=[FaultError(("Action",), "too many")] * 4)
    async with fed(port) as (ends, passes):
        await passes(60)
        assert "metadata" in port.calls
        assert set(ends.losses) == {"too many"}
        assert port.calls[-1] == "pull"


async def test_a_camera_that_is_away_is_not_asked_for_its_metadata() -> None:
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 3, metadata=[()])
    async with fed(port) as (_ends, passes):
        await passes(30)
        assert "metadata" not in port.calls
