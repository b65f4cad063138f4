"""Keeps one camera's events coming: subscribes, pulls, renews, subscribes anew, and always unsubscribes."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.cameras.eventing.notices import Notice
from gateway.cameras.eventing.subscription import Subscription
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.clock import Clock, doubled
from gateway.errors import GatewayError

PULL, PUSH, METADATA = "pull", "push", "metadata"
_LOG = logging.getLogger(__name__)
_ASKED_SECONDS = 600.0
_RENEW_SHARE = 0.8
_LEAST_RENEW_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 1.0
# What refuses is left in peace for longer; one that is away may be back at any moment, and its contact may close then.
_LONGEST_WAIT_SECONDS, _LONGEST_AWAY_SECONDS = 60.0, 3.0
_WITHOUT_EVENTS_SECONDS = 600.0
# A camera that answers at once is asked so many times in a row without a pause: a press behind an event never waits.
_QUICK_IN_A_ROW = 5
_LEAST_POLL_SECONDS, _LEAST_BUSY_POLL_SECONDS = 0.1, 0.05
# What lived so long and then was lost is asked for at once: a contact may be closing.
_STEADY_SECONDS, _AT_ONCE_SECONDS = 5.0, 0.05
_DROPS_IN_A_ROW = 3
_REFUSALS_IN_A_ROW = 2
_LEAVE_SECONDS = 2.5
_DROP_PAUSE_SECONDS = 0.2
_AWAY = frozenset({CameraState.UNREACHABLE, CameraState.STREAM_DEAD})
_GIVEN_UP = frozenset({CameraState.CREDENTIALS_WRONG, CameraState.CERTIFICATE_UNKNOWN})


class Stream(Protocol):
    """Events that come by themselves; `MetadataStream` is one. All raise CameraError or FaultError."""

    async def next(self) -> tuple[Notice, ...]:
        """Wait for messages; none is a sign of life."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class EventPort(Protocol):
    """What the feed asks of a camera; `CameraEvents` is one. All raise CameraError or FaultError."""

    async def subscribe(self, *, absolute: bool = False) -> Subscription:
        """A new PullPoint."""
        ...

    async def subscribe_push(self, consumer: str) -> Subscription:
        """A subscription that sends."""
        ...

    async def synchronize(self, subscription: Subscription) -> None:
        """Have all states told again."""
        ...

    async def renew(self, subscription: Subscription, *, absolute: bool = False) -> float | None:
        """Let it live on; the seconds granted."""
        ...

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End it."""
        ...

    async def pull(self, subscription: Subscription) -> tuple[Notice, ...]:
        """Wait for messages."""
        ...

    async def open_metadata(self) -> Stream:
        """The events of its metadata track."""
        ...


@dataclass(frozen=True, slots=True)
class FeedEnds:
    """Where the feed's findings go.

    Attributes:
        take: gets each pull's messages, perhaps none: a sign of life.
        lost: the subscription is gone, with the reason in words; the states are unknown from now on.
        consumer: the address that a camera without PullPoint may send to; None: there is none.
    """

    take: Callable[[tuple[Notice, ...]], Awaitable[None]]
    lost: Callable[[str], Awaitable[None]]
    consumer: Callable[[], Awaitable[str | None]]


class EventFeed:
    """One camera's subscription for ever; at most one at a time.

    Args:
        port: the camera.
        ends: where messages go.
        clock: for waits.
        where: the camera, for the log.

    Attributes:
        way: by which it is heard: `PULL`, `PUSH` or `METADATA`; empty while it is not.
    """

    def __init__(self, port: EventPort, ends: FeedEnds, clock: Clock, where: str) -> None:
        self._port = port
        self._ends = ends
        self._clock = clock
        self._where = where
        self._absolute = False
        self._failures = 0
        self._told = ""
        self._had_events = False
        self._quick = 0
        self._heard_since: float | None = None
        self.way = ""

    async def run(self) -> None:
        """Feed for ever; when it is cancelled it unsubscribes first."""
        while True:
            reason, pause = await self._once()
            if reason != self._told:
                _LOG.warning("events of %s: %s", self._where, reason)
            self._told, self.way = reason, ""
            await self._ends.lost(reason)
            await self._clock.sleep(pause)

    async def _once(self) -> tuple[str, float]:
        """One way of hearing from its beginning to its end: why it ended, and how long to wait before the next."""
        longest = _LONGEST_WAIT_SECONDS
        try:
            reason = await self._hear()
        except CameraError as error:
            if error.state is CameraState.NO_EVENTS and not self._had_events:
                return error.what, _WITHOUT_EVENTS_SECONDS
            reason, longest = error.what, _LONGEST_AWAY_SECONDS if error.state in _AWAY else longest
        except (FaultError, GatewayError) as error:
            reason = str(error)
        except Exception as error:  # one odd message must not end the hearing of a contact for ever
            _LOG.error("events of %s: what nobody foresaw: %s", self._where, type(error).__name__)
            reason = "the camera sends what the gateway cannot read"
        self._failures += 1
        return reason, self._pause(longest)

    async def _hear(self) -> str:
        """By a subscription, or by the metadata track of a camera that gives none; why it ended."""
        try:
            subscription = await self._subscribe()
        except (CameraError, FaultError) as refusal:
            if not self._gives_none(refusal):
                raise
            return await self._read(await self._stream_instead(refusal))
        try:
            subscription = await self._lengthened(subscription)
            return await self._follow(subscription)
        finally:
            await self._leave(subscription)

    def _gives_none(self, refusal: CameraError | FaultError) -> bool:
        """Whether there is another way to try: there is no such service, or it refuses again and again."""
        if isinstance(refusal, CameraError):
            return refusal.state is CameraState.NO_EVENTS
        return self._failures >= _REFUSALS_IN_A_ROW

    async def _stream_instead(self, refusal: CameraError | FaultError) -> Stream:
        """The metadata track; if there is none, what its event service refused counts as well."""
        try:
            return await self._port.open_metadata()
        except CameraError as error:
            if error.state is not CameraState.NO_EVENTS:
                raise
            if isinstance(refusal, FaultError):
                raise refusal from None
            what = f"{refusal.what}; {error.what}"
            raise camera_error(CameraState.NO_EVENTS, what, where=refusal.where) from None

    async def _read(self, stream: Stream) -> str:
        """Read for ever; it ends by what `next` raises."""
        self.way = METADATA
        try:
            await self._alive(())
            while True:
                await self._alive(await stream.next())
        finally:
            await stream.close()

    def _pause(self, longest: float) -> float:
        since, self._heard_since = self._heard_since, None
        steady = since is not None and self._clock.monotonic() - since >= _STEADY_SECONDS
        if steady and self._failures == 1:
            wait = _AT_ONCE_SECONDS
        else:
            wait = doubled(_FIRST_WAIT_SECONDS, longest, self._failures - 1)
        return wait * (0.5 + random.random())  # noqa: S311  # spreads retries, keeps no secret

    async def _subscribe(self) -> Subscription:
        try:
            return await self._wholly(self._port.subscribe(absolute=self._absolute))
        except (CameraError, FaultError) as error:
            consumer = await self._ends.consumer() if self._gives_none(error) else None
            if consumer is None:
                raise
            return await self._wholly(self._port.subscribe_push(consumer))

    async def _lengthened(self, subscription: Subscription) -> Subscription:
        """What was granted too short is asked for as an absolute time, now and from then on."""
        too_short = not subscription.is_push and self._is_too_short(subscription.granted_seconds)
        if too_short and not self._absolute:
            self._absolute = True
            with contextlib.suppress(CameraError, FaultError):
                granted = await self._port.renew(subscription, absolute=True)
                return Subscription(subscription.address, subscription.parameters, granted)
        return subscription

    async def _wholly(self, subscribing: Coroutine[Any, Any, Subscription]) -> Subscription:
        """What it gives; if this is cancelled meanwhile, what the camera then has is ended."""
        task = asyncio.create_task(subscribing, name=f"subscribe to {self._where}")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(GatewayError, FaultError, TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await self._leave(await task)
            task.cancel()
            raise

    async def _leave(self, subscription: Subscription) -> None:
        """End it as far as the camera lets; what it answers must not take the place of a cancellation."""
        try:
            await self._port.unsubscribe(subscription)
        except (GatewayError, FaultError):
            pass
        except Exception as error:
            _LOG.error("events of %s: what nobody foresaw: %s", self._where, type(error).__name__)

    @staticmethod
    def _is_too_short(granted: float | None) -> bool:
        return granted is not None and granted < _ASKED_SECONDS / 2

    async def _follow(self, subscription: Subscription) -> str:
        """Why it ended.

        Raises:
            CameraError: the camera is away, or refuses.
            FaultError: the camera does not know the subscription any more.
        """
        self.way = PUSH if subscription.is_push else PULL
        with contextlib.suppress(CameraError, FaultError):
            await self._port.synchronize(subscription)
        renewal = self._clock.monotonic() + self._renewal_of(subscription.granted_seconds, subscription)
        drops = 0
        while True:
            if self._clock.monotonic() >= renewal:
                granted = await self._port.renew(subscription, absolute=self._absolute)
                renewal = self._clock.monotonic() + self._renewal_of(granted, subscription)
            if subscription.is_push:
                await self._alive(())
                await self._clock.sleep(max(0.0, renewal - self._clock.monotonic()))
                continue
            drops = 0 if await self._pull(subscription) else drops + 1
            if drops >= _DROPS_IN_A_ROW:
                return "the camera does not answer"

    @staticmethod
    def _renewal_of(granted: float | None, subscription: Subscription) -> float:
        """After how many seconds it is renewed; never more often than once a minute."""
        if subscription.is_push:
            return _LEAST_RENEW_SECONDS
        return max(_LEAST_RENEW_SECONDS, _RENEW_SHARE * (granted or _ASKED_SECONDS))

    async def _pull(self, subscription: Subscription) -> bool:
        """Whether the camera answered; a closed connection or a timeout says nothing of the subscription."""
        began = self._clock.monotonic()
        try:
            notices = await self._port.pull(subscription)
        except CameraError as error:
            if error.state in _GIVEN_UP:
                raise
            await self._clock.sleep(_DROP_PAUSE_SECONDS)
            return False
        await self._alive(notices)
        least = _LEAST_BUSY_POLL_SECONDS if notices else _LEAST_POLL_SECONDS
        rest = least - (self._clock.monotonic() - began)
        self._quick = self._quick + 1 if rest > 0 else 0
        await self._clock.sleep(rest if self._quick > _QUICK_IN_A_ROW else 0.0)
        return True

    async def _alive(self, notices: tuple[Notice, ...]) -> None:
        self._failures, self._had_events = 0, True
        if self._heard_since is None:
            self._heard_since = self._clock.monotonic()
        elif self._clock.monotonic() - self._heard_since >= _STEADY_SECONDS:
            self._told = ""
        await self._ends.take(notices)
