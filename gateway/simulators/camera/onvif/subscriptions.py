"""The camera's event subscriptions: queues of messages with an end, PullPoint and push alike."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.simulators.camera.onvif.happenings import Happening, Happenings
from gateway.simulators.camera.onvif.soap import SoapFault
from gateway.simulators.camera.quirks import Quirks

_LONGEST_SECONDS = 3600.0
_MOST_WAITING = 512
_SHORTEST_SECONDS = 1.0
_DURATION = re.compile(r"-?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$")
_DEFAULT_SECONDS = 60.0


@dataclass(slots=True)
class Subscription:
    """One subscriber.

    Attributes:
        number: its name.
        ends: when it ends, by the monotonic clock.
        consumer: where a push subscription's messages go; empty for a PullPoint.
        port: where it alone is served; 0: where everything is.
    """

    number: int
    ends: float
    consumer: str = ""
    port: int = 0
    pulls: int = 0
    waiting: deque[Happening] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    stop_listening: Callable[[], None] = lambda: None

    def put(self, happening: Happening) -> None:
        """Queue one message; the oldest goes when there are too many."""
        self.waiting.append(happening)
        self.filled.set()

    def take(self, limit: int) -> list[Happening]:
        """At most `limit` messages."""
        taken = [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]
        if not self.waiting:
            self.filled.clear()
        return taken


class Subscriptions:
    """All subscriptions of one camera.

    Attributes:
        made, ended, renewed: how often each was done on request; what is neither ended nor expired is alive.
    """

    def __init__(self, happenings: Happenings, quirks: Quirks) -> None:
        self._happenings = happenings
        self._quirks = quirks
        self._known: dict[int, Subscription] = {}
        self.made = self.ended = self.renewed = 0

    @property
    def alive(self) -> list[Subscription]:
        """Those that have neither ended nor expired."""
        now = time.monotonic()
        for each in [each for each in self._known.values() if each.ends <= now]:
            self.drop(each)
        return list(self._known.values())

    def add(self, asked: str, consumer: str = "") -> Subscription:
        """A new one for the time `asked`.

        Raises:
            SoapFault: there are too many.
        """
        slots = self._quirks.value("few-slots")
        if slots is not None and len(self.alive) >= slots:
            raise SoapFault("Receiver", ("Action",), "Subscribe creation failed fault")
        self.made += 1
        made = Subscription(self.made, time.monotonic() + self.seconds(asked), consumer)
        for happening in self._happenings.initial():
            made.put(happening)
        made.stop_listening = self._happenings.listen(made.put)
        self._known[made.number] = made
        return made

    def find(self, number: int) -> Subscription:
        """A living one.

        Raises:
            SoapFault: there is none of that number.
        """
        found = next((each for each in self.alive if each.number == number), None)
        if found is None:
            raise SoapFault("Sender", ("ResourceUnknownFault",), "The subscription does not exist")
        return found

    def renew(self, subscription: Subscription, asked: str) -> None:
        """Let it live for the time `asked`."""
        self.renewed += 1
        subscription.ends = time.monotonic() + self.seconds(asked)

    def end(self, subscription: Subscription) -> None:
        """End it at its subscriber's wish."""
        self.ended += 1
        self.drop(subscription)

    def drop(self, subscription: Subscription) -> None:
        """Forget it."""
        self._known.pop(subscription.number, None)
        subscription.stop_listening()
        subscription.filled.set()

    def forget_all(self) -> None:
        """Forget all, as a restart does."""
        for each in tuple(self._known.values()):
            self.drop(each)

    def synchronize(self, subscription: Subscription) -> None:
        """Queue all states anew."""
        for happening in self._happenings.initial():
            subscription.put(happening)

    def seconds(self, asked: str) -> float:
        """How long is granted for an xs:duration or an xs:dateTime."""
        if not asked:
            return _DEFAULT_SECONDS
        if not asked.lstrip("-").startswith("P"):
            return self._until(asked)
        match = _DURATION.match(asked)
        if match is None:
            raise SoapFault("Sender", ("UnacceptableInitialTerminationTimeFault",), f"No duration: {asked[:40]}")
        days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
        granted = days * 86400 + hours * 3600 + minutes * 60 + seconds
        if "minutes-as-seconds" in self._quirks:
            granted /= 60
        return min(max(granted, _SHORTEST_SECONDS), _LONGEST_SECONDS)

    def _until(self, asked: str) -> float:
        try:
            wanted = datetime.fromisoformat(asked) - self._happenings.now()
        except (ValueError, TypeError):
            raise SoapFault("Sender", ("UnacceptableInitialTerminationTimeFault",), "No time") from None
        return min(max(wanted / timedelta(seconds=1), _SHORTEST_SECONDS), _LONGEST_SECONDS)
