"""What a role is to its frame, and how it sends to the parent from any thread."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from gateway.errors import PermanentError
from gateway.wire import Channel, ChannelClosedError, Heartbeat, Message, PictureReply, PictureRequest, Ready, Received

_BEHIND_SECONDS = 0.02


class UnexpectedMessageError(PermanentError):
    """The parent sent what this role does not take."""


class Role(Protocol):
    """One child program: what it does with messages. All methods are called on the loop."""

    async def open(self) -> Ready:
        """Load what the role works with; heavy loading belongs in a thread, so that the heart beats meanwhile."""
        ...

    async def handle(self, received: Received) -> None:
        """Act on one message; the next comes when it returns. The role closes descriptors that came along."""
        ...

    async def picture(self, request: PictureRequest) -> PictureReply:
        """Answer a request for a picture."""
        ...

    def heartbeat(self) -> Heartbeat:
        """How the role and its cameras are."""
        ...

    async def close(self) -> None:
        """Stop the role's threads and let go of what it holds."""
        ...


class Outlet:
    """The way to the parent, for the loop and for other threads.

    Args:
        channel: the child's channel; the outlet belongs to the loop that runs it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()

    async def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send from the loop; waits while too much is queued.

        Raises:
            ChannelClosedError: the parent is gone.
        """
        await self._channel.send(message, fds)

    def post(self, *messages: Message) -> None:
        """Send in this order from another thread; waits while too much is queued, which slows that thread alone.

        Raises:
            ChannelClosedError: the parent is gone.
        """
        sent: Future[None] = asyncio.run_coroutine_threadsafe(self._send_all(messages), self._loop)
        sent.result()

    def post_behind(self, message: Message) -> None:
        """Send from another thread what is never to stand before a report or a heartbeat: waits for an empty queue.

        Raises:
            ChannelClosedError: the parent is gone.
        """
        sent: Future[None] = asyncio.run_coroutine_threadsafe(self.send_behind(message), self._loop)
        sent.result()

    async def send_behind(self, message: Message) -> None:
        """The same from the loop.

        Raises:
            ChannelClosedError: the parent is gone.
        """
        while not self._channel.offer(message, limit=0):
            if self._channel.closed:
                raise ChannelClosedError("the other side of the channel is gone")
            await asyncio.sleep(_BEHIND_SECONDS)

    async def _send_all(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self._channel.send(message)
