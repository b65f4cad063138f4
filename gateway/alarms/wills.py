"""Last wills (§3.1.2.5): kept on disk while a client is there, published when it is lost, after their delay."""

import asyncio
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.alarms.kept_messages import put_message, take_message
from gateway.alarms.packets import Publish, Will
from gateway.alarms.records import WILL, RecordBook

_RESTART_GRACE_SECONDS = 10.0
_HEAD = struct.Struct(">II")


@dataclass(slots=True)
class LastWill:
    """The will of one connection.

    Attributes:
        number: tells it from a later will of the same client.
        delay: seconds between the loss and the message.
    """

    client_id: str
    number: int
    message: Publish
    delay: int
    user: str = ""
    timer: asyncio.TimerHandle | None = None


class WillKeeper:
    """Keeps the wills of all clients.

    Args:
        records: where they are kept.
        publish: told of a will whose moment has come; calls `done` once the message is durable.
    """

    def __init__(self, records: RecordBook, publish: Callable[[LastWill], None]) -> None:
        self._records = records
        self._publish = publish
        self._waiting: dict[str, LastWill] = {}
        self._next = 1

    def note(self, client_id: str, will: Will, user: str, session_seconds: int) -> LastWill:
        """Keep the will of a new connection; behind a restart it waits no longer than its session lasts."""
        properties = replace(will.properties, will_delay=None)
        message = Publish(
            topic=will.topic, payload=will.payload, qos=will.qos, retain=will.retain, properties=properties
        )
        kept = LastWill(client_id, self._next, message, will.properties.will_delay or 0, user)
        self._next += 1
        said = json.dumps({"user": user}).encode()
        body = put_message(replace(message, packet_id=1 if message.qos else 0), None, self._records.moments)
        head = _HEAD.pack(min(kept.delay, session_seconds), len(said))
        self._records.put(WILL, client_id, kept.number, head + said + body)
        return kept

    def forget(self, will: LastWill) -> None:
        """The client left in order, or its will is done."""
        if will.timer is not None:
            will.timer.cancel()
            will.timer = None
        if self._waiting.get(will.client_id) is will:
            del self._waiting[will.client_id]
        self._records.remove(WILL, will.client_id, will.number)

    def lost(self, will: LastWill, session_seconds: float) -> None:
        """The client is lost: its will comes after its delay, at its session's end if that is sooner (§3.1.3.2.2)."""
        self._after(will, min(will.delay, session_seconds))

    def _after(self, will: LastWill, seconds: float) -> None:
        if seconds <= 0:
            self._publish(will)
            return
        self._waiting[will.client_id] = will
        will.timer = asyncio.get_running_loop().call_later(seconds, self._publish_waiting, will)

    def _publish_waiting(self, will: LastWill) -> None:
        if self._waiting.get(will.client_id) is will:
            del self._waiting[will.client_id]
        will.timer = None
        self._publish(will)

    def came_back(self, client_id: str) -> None:
        """The client is there again within its delay, and its session goes on: no will."""
        if (will := self._waiting.get(client_id)) is not None:
            self.forget(will)

    def session_ended(self, client_id: str) -> None:
        """Its session ended before its delay was over: the will comes now."""
        if (will := self._waiting.pop(client_id, None)) is not None:
            if will.timer is not None:
                will.timer.cancel()
            self._publish_waiting(will)

    def restore(self, client_id: str, number: int, body: bytes) -> None:
        """Take back a will: the process ended under that client; it has some seconds to come back."""
        delay, length = _HEAD.unpack_from(body)
        said = json.loads(body[_HEAD.size : _HEAD.size + length])
        message, _expires = take_message(body[_HEAD.size + length :], self._records.moments)
        self._next = max(self._next, number + 1)
        will = LastWill(client_id, number, replace(message, packet_id=0), delay, said["user"])
        self._after(will, max(delay, _RESTART_GRACE_SECONDS))

    def stop(self) -> None:
        """The endpoint stops: what waits stays in the store."""
        for will in self._waiting.values():
            if will.timer is not None:
                will.timer.cancel()
                will.timer = None
