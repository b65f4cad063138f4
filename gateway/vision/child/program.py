"""Runs one role between its two channels: hello, ready, heartbeats, messages, pictures, memory, end."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import ConfigError, GatewayError
from gateway.vision.child.hardening import give_way
from gateway.vision.child.logs import configure_logs
from gateway.vision.child.memory import give_memory_back
from gateway.vision.child.role import Outlet, Role, UnexpectedMessageError
from gateway.wire import Channel, ChannelClosedError, Failed, Hello, PictureRequest, Stop

_LOG = logging.getLogger(__name__)
_CLOSE_SECONDS = 3.0
_PICTURES_AT_ONCE = 8
_LONGEST = 400

MakeRole = Callable[[Hello, Outlet], Role]


class _StopRequestedError(Exception):
    """Somebody asked the child to end."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """The child's ends of its two channels."""

    channel: Channel
    pictures: Channel


async def run_child(make_role: MakeRole, channel_fd: int, pictures_fd: int) -> int:
    """Be a child until the parent stops it or is gone.

    Args:
        make_role: makes the role from the parent's hello.
        channel_fd: the inherited descriptor of the channel of messages.
        pictures_fd: that of the channel of pictures.

    Returns:
        the exit status: 0 after an orderly end, 1 after a fault that is in the log.
    """
    ends = _Ends(Channel.from_fd(channel_fd), Channel.from_fd(pictures_fd))
    stop = _stop_on_signals()
    try:
        return await _serve(make_role, ends, stop)
    except ChannelClosedError:
        return 0
    except GatewayError as error:
        _LOG.error("%s", error)
        return 1
    finally:
        ends.channel.close()
        ends.pictures.close()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _serve(make_role: MakeRole, ends: _Ends, stop: asyncio.Event) -> int:
    hello = (await ends.channel.receive()).message
    if not isinstance(hello, Hello):
        raise UnexpectedMessageError(f"the first message is {type(hello).__name__}, not Hello")
    configure_logs(hello.worker)
    give_way(hello.vision.nice)
    role = make_role(hello, Outlet(ends.channel))
    try:
        return await _live(role, ends, stop, hello)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(role.close(), _CLOSE_SECONDS)


async def _live(role: Role, ends: _Ends, stop: asyncio.Event, hello: Hello) -> int:
    """Run the tasks of a life; the first that ends, ends all, and the parent is told of what cannot go on."""
    lives: list[tuple[str, Awaitable[None]]] = [
        ("heartbeat", _beat(role, ends.channel, hello.vision.heartbeat_seconds)),
        ("messages", _take_messages(role, ends.channel)),
        ("pictures", _take_pictures(role, ends.pictures)),
        ("signals", _until(stop)),
        ("memory", give_memory_back()),
    ]
    status = 0
    try:
        async with asyncio.TaskGroup() as group:
            for name, life in lives:
                group.create_task(_ensure(life), name=name)
    except* (_StopRequestedError, ChannelClosedError):
        pass
    except* GatewayError as errors:
        for error in errors.exceptions:
            _LOG.error("%s", error)
        ends.channel.offer(_failed(hello.worker, errors))
        status = 1
    return status


def _failed(worker: str, errors: BaseExceptionGroup[GatewayError]) -> Failed:
    """The first of the errors in words that are free of secrets, as those of `GatewayError` are; not of any length."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConfigError) and error.faults:
        fault = error.faults[0]
        error = GatewayError(fault.what, where=": ".join(filter(None, (fault.file, fault.key))), remedy=fault.remedy)
    if not isinstance(error, GatewayError):
        return Failed(worker=worker, what=type(error).__name__)
    what = f"{error.where}: {error.what}" if error.where else error.what
    return Failed(worker=worker, what=what[:_LONGEST].rstrip("."), remedy=error.remedy[:_LONGEST])


async def _ensure(life: Awaitable[None]) -> None:
    await life


async def _beat(role: Role, channel: Channel, seconds: float) -> None:
    while True:
        await channel.send(role.heartbeat())
        await asyncio.sleep(seconds)


async def _take_messages(role: Role, channel: Channel) -> None:
    await channel.send(await role.open())
    while True:
        received = await channel.receive()
        if isinstance(received.message, Stop):
            raise _StopRequestedError
        await role.handle(received)


async def _take_pictures(role: Role, pictures: Channel) -> None:
    """Some at a time, so that a camera which is slow with its picture keeps no other's waiting."""
    slots = asyncio.Semaphore(_PICTURES_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        while True:
            request = (await pictures.receive()).message
            if not isinstance(request, PictureRequest):
                raise UnexpectedMessageError(f"{type(request).__name__} came on the channel of pictures")
            await slots.acquire()
            group.create_task(_answer(role, pictures, request, slots), name=f"picture of {request.camera}")


async def _answer(role: Role, pictures: Channel, request: PictureRequest, slots: asyncio.Semaphore) -> None:
    try:
        pictures.offer(await role.picture(request))
    finally:
        slots.release()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _StopRequestedError
