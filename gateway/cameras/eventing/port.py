"""One camera's subscriptions, asynchronous: what the feed asks of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.addresses import OnvifAddress, rehost
from gateway.cameras.caller import SoapCaller
from gateway.cameras.eventing import subscription as operations
from gateway.cameras.eventing.notices import Notice, read_notices
from gateway.cameras.eventing.subscription import EVENTS, Request, Subscription
from gateway.cameras.lane import Lane
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.metadata import MetadataStream
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error

ASKED_SECONDS = 600.0
_PUSH_SECONDS = 120.0
PULL_SECONDS = 10.0
_MESSAGES = 100
_LEAVE_SECONDS = 2.5
_CONVENTIONAL = ("/onvif/event_service", "/onvif/events_service", "/onvif/Events", "/onvif/event")
_NOT_THERE = frozenset({"ActionNotSupported", "NoSuchService", "MustUnderstand", "UnknownAction"})


class CameraEvents:
    """Subscribes, pulls, renews and unsubscribes; at most one pull and one other request at once.

    Args:
        address: of the camera.
        asks: the lane and connection of all other questions.
        pulls: a connection of its own, because a long poll holds it.
        services: addresses by namespace, as the camera told them last.
        rehoster: moves addresses to where they answer.
        guard: knows whether the password may be tried now.
        open_metadata: opens the stream of its metadata.
    """

    def __init__(
        self,
        address: OnvifAddress,
        asks: tuple[Lane, SoapCaller],
        pulls: SoapCaller,
        services: Callable[[], Mapping[str, str]],
        rehoster: Rehoster,
        guard: PasswordGuard,
        open_metadata: Callable[[], Awaitable[MetadataStream]],
    ) -> None:
        self._address = address
        self._lane, self._asks = asks
        self._pulls = pulls
        self._pull_lane = Lane(str(address), PULL_SECONDS + 30.0, pulls.http.cut_off)
        self._services = services
        self._rehoster = rehoster
        self._guard = guard
        self._open_metadata = open_metadata
        self._offset = pulls.offset

    @property
    def clock_offset(self) -> timedelta:
        """How far the camera's clock is ahead."""
        return self._offset.value

    async def subscribe(self, *, absolute: bool = False) -> Subscription:
        """A new PullPoint, also where the camera does not name an event service.

        Raises:
            CameraError: `NO_EVENTS` if it has none; other states as they are.
            FaultError: it has, and cannot now.
        """
        return await self._lane.run(lambda: self._subscribe(lambda url: self._pull_point(url, absolute=absolute)))

    async def subscribe_push(self, consumer: str) -> Subscription:
        """Have the camera send to the address `consumer`; raises as `subscribe`."""
        return await self._lane.run(lambda: self._subscribe(lambda url: self._push(url, consumer)))

    async def synchronize(self, subscription: Subscription) -> None:
        """Have all states told again; raises CameraError or FaultError."""
        await self._lane.run(lambda: self._ask(subscription.address, operations.synchronize(subscription)))

    async def renew(self, subscription: Subscription, *, absolute: bool = False) -> float | None:
        """Let it live on; returns the seconds granted, or None. Raises CameraError or FaultError."""
        lasts = self._lasts(_PUSH_SECONDS if subscription.is_push else ASKED_SECONDS, absolute=absolute)
        reply = await self._lane.run(lambda: self._ask(subscription.address, operations.renew(subscription, lasts)))
        return operations.granted_in(reply)

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End it; raises CameraError or FaultError."""
        await self._lane.run(
            lambda: self._ask(subscription.address, operations.unsubscribe(subscription)), _LEAVE_SECONDS
        )

    async def pull(self, subscription: Subscription) -> tuple[Notice, ...]:
        """Wait some seconds for messages; raises CameraError or FaultError."""
        return await self._pull_lane.run(lambda: self._pull(subscription))

    async def open_metadata(self) -> MetadataStream:
        """The events of its metadata track; raises as `subscribe`."""
        return await self._open_metadata()

    def break_off(self) -> None:
        """End a pull that is under way: the camera is given up."""
        self._pulls.http.break_off()

    def close(self) -> None:
        """Close the kept connection of pulls."""
        self._pulls.http.close()

    def _pull(self, subscription: Subscription) -> tuple[Notice, ...]:
        self._guard.check()
        self._pulls.http.begin(PULL_SECONDS)
        asked = operations.pull_messages(subscription, PULL_SECONDS, _MESSAGES)
        return read_notices(self._pulls.call(subscription.address, asked.operation, asked.header))

    def _subscribe(self, at: Callable[[str], Subscription]) -> Subscription:
        reasons: list[str] = []
        for url in self._candidates():
            try:
                return at(url)
            except FaultError as fault:
                if _NOT_THERE.isdisjoint(fault.subcodes):
                    raise
                reasons.append(fault.reason)
            except CameraError as error:
                if error.state is not CameraState.NOT_ONVIF:
                    raise
                reasons.append(error.what)
        what = f"no event service answers as it should: {reasons[0] if reasons else 'none is named'}"
        raise camera_error(CameraState.NO_EVENTS, what, where=str(self._address))

    def _candidates(self) -> list[str]:
        named = self._services().get(EVENTS)
        if named:
            return [named]
        base = self._address.device_service.removesuffix(self._address.path)
        return [f"{base}{path}" for path in (*_CONVENTIONAL, self._address.path)]

    def _pull_point(self, url: str, *, absolute: bool) -> Subscription:
        reply = self._ask(url, operations.create_pull_point(url, self._lasts(ASKED_SECONDS, absolute=absolute)))
        return self._made(reply, url, is_push=False)

    def _push(self, url: str, consumer: str) -> Subscription:
        reply = self._ask(url, operations.subscribe(url, consumer, self._lasts(_PUSH_SECONDS, absolute=False)))
        return self._made(reply, url, is_push=True)

    def _made(self, reply: Element, url: str, *, is_push: bool) -> Subscription:
        said = operations.address_in(reply)
        address = self._rehoster.service(said) if said else url
        return Subscription(
            address=address if said else rehost(url, self._address.host),
            parameters=operations.parameters_in(reply),
            granted_seconds=operations.granted_in(reply),
            is_push=is_push,
        )

    def _lasts(self, seconds: float, *, absolute: bool) -> str:
        """In seconds, because some firmwares read minutes as seconds; or until a time of the camera's clock."""
        if not absolute:
            return f"PT{seconds:.0f}S"
        return (self._offset.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _ask(self, url: str, asked: Request) -> Element:
        self._guard.check()
        self._asks.http.begin()
        return self._asks.call(url, asked.operation, asked.header)
