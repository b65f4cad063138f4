"""The feed: one subscription at a time, renewed in time, made anew on faults, always ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.cameras.eventing.feed import EventFeed, FeedEnds
from gateway.cameras.eventing.notices import Notice
from gateway.cameras.eventing.subscription import Subscription
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.clock import ManualClock
from gateway.errors import PermanentError

GONE = FaultError(("ResourceUnknownFault",), "gone")
SILENT = camera_error(CameraState.UNREACHABLE, "silent", where="x")


@dataclass
class Port:
    """A camera that does what it is told to, and counts."""

    clock: ManualClock
    grants: Callable[[bool], float | None] = lambda _absolute: 600.0
    failing_subscribe: list[Exception] = field(default_factory=list)
    pulls: list[Exception | tuple[Notice, ...]] = field(default_factory=list)
    failing_renew: Exception | None = None
    calls: list[str] = field(default_factory=list)
    pull_takes: float = 10.0
    subscribe_takes: float = 0.0
    renew_takes: float = 0.0
    failing_unsubscribe: Exception | None = None
    failing_push: Exception | None = None
    metadata: Exception | list[tuple[Notice, ...]] = camera_error(CameraState.NO_EVENTS, "no track", where="x")  # noqa: RUF009

    async def subscribe(self, *, absolute: bool = False) -> Subscription:
        self.calls.append("subscribe at" if absolute else "subscribe")
        if self.failing_subscribe:
            raise self.failing_subscribe.pop(0)
        await self.clock.sleep(self.subscribe_takes)
        return Subscription("http://x", granted_seconds=self.grants(absolute))

    async def subscribe_push(self, consumer: str) -> Subscription:
        self.calls.append(f"push to {consumer}")
        if self.failing_push is not None:
            raise self.failing_push
        return Subscription("http://x", is_push=True)

    async def synchronize(self, subscription: Subscription) -> None:
        self.calls.append("synchronize")
        raise FaultError(("ActionNotSupported",), "no")

    async def renew(self, subscription: Subscription, *, absolute: bool = False) -> float | None:
        self.calls.append("renew at" if absolute else "renew")
        if self.failing_renew is not None:
            raise self.failing_renew
        await self.clock.sleep(self.renew_takes)
        return self.grants(absolute)

    async def unsubscribe(self, subscription: Subscription) -> None:
        self.calls.append("unsubscribe")
        if self.failing_unsubscribe is not None:
            raise self.failing_unsubscribe

    async def pull(self, subscription: Subscription) -> tuple[Notice, ...]:
        self.calls.append("pull")
        answer = self.pulls.pop(0) if self.pulls else ()
        if isinstance(answer, Exception):
            raise answer
        if not answer:
            await self.clock.sleep(self.pull_takes)
        return answer

    async def open_metadata(self) -> "Track":
        self.calls.append("metadata")
        if isinstance(self.metadata, Exception):
            raise self.metadata
        return Track(self, list(self.metadata))


@dataclass
class Track:
    """Tells what it has, and then that its connection broke."""

    port: Port
    waiting: list[tuple[Notice, ...]]

    async def next(self) -> tuple[Notice, ...]:
        await self.port.clock.sleep(5)
        if not self.waiting:
            raise camera_error(CameraState.STREAM_DEAD, "the track broke", where="x")
        return self.waiting.pop(0)

    async def close(self) -> None:
        self.port.calls.append("close")


@dataclass
class Ends:
    taken: list[tuple[Notice, ...]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    consumer: str | None = None

    async def take(self, notices: tuple[Notice, ...]) -> None:
        self.taken.append(notices)

    async def lost(self, reason: str) -> None:
        self.losses.append(reason)

    async def address(self) -> str | None:
        return self.consumer


Passes = Callable[[float], Coroutine[Any, Any, None]]


@asynccontextmanager
async def fed(port: Port, ends: Ends | None = None) -> AsyncIterator[tuple[Ends, Passes]]:
    ends = ends or Ends()
    feed = EventFeed(port, FeedEnds(ends.take, ends.lost, ends.address), port.clock, "camera")
    task = asyncio.create_task(feed.run(), name="feed")

    async def passes(seconds: float) -> None:
        for _ in range(int(seconds)):
            for _ in range(6):
                await asyncio.sleep(0)
            port.clock.advance(1)
        for _ in range(8):
            await asyncio.sleep(0)

    try:
        yield ends, passes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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


async def test_no_free_slot_is_waited_for_with_growing_pauses() -> None:
    port = Port(ManualClock(), failing_subscribe=[FaultError(("Action",), "too many")] * 100)
    async with fed(port) as (_ends, passes):
        await passes(600)
        assert 8 <= port.calls.count("subscribe") <= 25


async def test_a_camera_that_is_away_for_days_is_heard_again() -> None:
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 1100)
    async with fed(port) as (ends, _passes):
        for _ in range(1200):
            for _ in range(6):
                await asyncio.sleep(0)
            port.clock.advance(100)
        assert not port.failing_subscribe
        assert ends.taken


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


async def test_an_empty_answer_at_once_is_healthy_and_no_tight_loop() -> None:
    port = Port(ManualClock(), pull_takes=0.0)
    async with fed(port) as (ends, passes):
        await passes(10)
        assert ends.losses == []
        assert port.calls.count("pull") <= 101


async def test_messages_without_end_are_no_tight_loop() -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),)] * 100_000)
    async with fed(port) as (ends, passes):
        await passes(10)
        assert ends.losses == []
        assert 10 <= port.calls.count("pull") <= 201


async def _settled() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


async def test_a_press_right_behind_another_event_waits_for_nothing() -> None:
    port = Port(ManualClock(), pulls=[*[(Notice("motion"),)] * 3, (Notice("press"),)])
    async with fed(port) as (ends, _passes):
        await _settled()
        assert [each.topic for notices in ends.taken for each in notices] == ["motion"] * 3 + ["press"]


async def test_a_camera_that_answers_at_once_for_ever_is_soon_asked_twenty_times_a_second_again() -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),)] * 1000)
    async with fed(port):
        for _ in range(20):
            await _settled()
            port.clock.advance(0.05)
        assert 20 <= port.calls.count("pull") <= 30


@pytest.mark.parametrize(("pulls_before", "at_once"), [(3, True), (0, False)])
async def test_a_subscription_that_had_lived_is_made_anew_at_once(pulls_before: int, at_once: bool) -> None:
    port = Port(ManualClock(), pulls=[*[()] * pulls_before, GONE])
    async with fed(port) as (ends, _passes):
        for _ in range(pulls_before):
            await _settled()
            port.clock.advance(10)
        await _settled()
        assert ends.losses == ["gone"]
        port.clock.advance(0.1)
        await _settled()
        assert (port.calls.count("subscribe") == 2) is at_once


async def test_a_camera_that_forgets_each_subscription_soon_is_not_asked_at_once_for_ever() -> None:
    port = Port(ManualClock(), pulls=[GONE] * 100)
    async with fed(port):
        for _ in range(200):
            await _settled()
            port.clock.advance(0.05)
        assert port.calls.count("subscribe") <= 8


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


async def test_a_subscription_that_dies_again_and_again_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),), GONE] * 100)
    async with fed(port) as (ends, passes):
        await passes(60)
        assert len(ends.losses) > 10
        assert [record.getMessage() for record in caplog.records] == ["events of camera: gone"]


async def test_a_camera_that_was_away_for_an_hour_is_heard_seconds_after_it_is_back() -> None:
    """Its contact may close as soon as it is there; what refuses is left in peace for longer."""
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 100_000)
    async with fed(port) as (_ends, passes):
        await passes(3600)
        port.failing_subscribe.clear()
        await passes(5)
        assert port.calls[-1] == "pull"
