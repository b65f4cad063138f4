"""Messages with QoS 2 (§4.3.3): what is sent again is taken once, and a new message under an old packet id is taken."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from hashlib import sha256
from typing import Any

from gateway.alarms.packets import Publish
from gateway.alarms.reasons import Reason
from gateway.alarms.sessions import Session, SessionBook, Taking

_MARK_BYTES = 16


class OnceTaker:
    """Tells a message that is sent again from another that bears its packet id.

    A client that lost its power before it released a message begins again with packet id 1, and knows nothing of it.
    So an id that is kept stands for its message only: for one with the same topic and payload. A message that the
    gateway itself takes is handled again even then, unless it says that it is sent again (DUP): its press id tells it.

    Args:
        takes: whether a topic is the gateway's own.
        handle: takes a message; returns once it may be acknowledged.
        start: runs that in a task of this name.
        flushed: what is done once the id is durable.
    """

    def __init__(
        self,
        book: SessionBook,
        *,
        takes: Callable[[str], bool],
        handle: Callable[[str, Publish], Awaitable[None]],
        start: Callable[[Coroutine[Any, Any, Reason], str], "asyncio.Task[Reason]"],
        flushed: Callable[[], "asyncio.Future[Any] | Reason"],
    ) -> None:
        self._book = book
        self._takes = takes
        self._handle = handle
        self._start = start
        self._flushed = flushed

    def take(self, session: Session, packet: Publish) -> "asyncio.Future[Any] | Reason":
        """A message is handled, and its id kept, before PUBREC; the same one again waits for that.

        So does one whose records could not be stored when it came first: it was not acknowledged then.
        """
        number, mark = packet.packet_id, mark_of(packet)
        underway = session.taking.get(number)
        if underway is not None and self._is_copy(packet, mark, underway.mark):
            return underway.done
        if underway is None and number in session.received and self._is_copy(packet, mark, session.received[number]):
            return self._flushed()
        task = self._start(self._take(session, packet, mark), "mqtt publish")
        taking = session.taking[number] = Taking(mark, task)
        task.add_done_callback(lambda _done: self._forget(session, number, taking))
        return task

    def _is_copy(self, packet: Publish, mark: bytes, kept: bytes) -> bool:
        own = self._takes(packet.topic)
        if not kept:  # by an older gateway, which did not say of what
            return not own
        return mark == kept and (packet.dup or not own)

    @staticmethod
    def _forget(session: Session, number: int, taking: Taking) -> None:
        if session.taking.get(number) is taking:
            del session.taking[number]

    async def _take(self, session: Session, packet: Publish, mark: bytes) -> Reason:
        await self._handle(session.client_id, packet)
        # Behind the event: if the process ends between the two, the message comes again and is told by its press id.
        newest = session.taking.get(packet.packet_id)
        if newest is None or newest.mark == mark:
            self._book.receive(session, packet.packet_id, mark)
        stored = self._flushed()
        if not isinstance(stored, Reason):
            await stored
        return Reason.SUCCESS


def mark_of(packet: Publish) -> bytes:
    """What a message is told by under its packet id: a hash of topic and payload."""
    topic = packet.topic.encode("utf-8", "surrogatepass")
    return sha256(len(topic).to_bytes(4, "big") + topic + packet.payload).digest()[:_MARK_BYTES]
