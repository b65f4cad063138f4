"""What cameras push: one server for all, each notification behind the one before."""

import asyncio
import socket
from urllib.parse import urlsplit

import pytest

from gateway.cameras import Notice, PushReceiver
from gateway.cameras.eventing import push as module
from gateway.cameras.soap import request


def _notification(topic: str) -> bytes:
    return request(f"<Notify><NotificationMessage><Topic>{topic}</Topic></NotificationMessage></Notify>")


async def _send(consumer: str, body: bytes) -> bytes:
    parts = urlsplit(consumer)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"POST {parts.path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def _ignore(_notices: tuple[Notice, ...]) -> None:
    pass


async def test_cameras_that_ask_at_the_same_time_share_one_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    push = PushReceiver("127.0.0.1", port)
    try:
        consumers = await asyncio.gather(*(push.add("127.0.0.1", _ignore) for _ in range(4)))
    finally:
        await push.close()
    assert [urlsplit(each).port if each is not None else None for each in consumers] == [port] * 4


async def test_what_a_camera_pushes_stays_in_its_order() -> None:
    done: list[str] = []
    first_may_go, first_is_there = asyncio.Event(), asyncio.Event()

    async def take(notices: tuple[Notice, ...]) -> None:
        first_is_there.set()
        if notices[0].topic == "first":
            await first_may_go.wait()
        done.append(notices[0].topic)

    push = PushReceiver("127.0.0.1")
    try:
        consumer = await push.add("127.0.0.1", take)
        assert consumer is not None
        first = asyncio.create_task(_send(consumer, _notification("first")))
        await first_is_there.wait()
        second = asyncio.create_task(_send(consumer, _notification("second")))
        await asyncio.sleep(0.1)
        assert done == []
        first_may_go.set()
        answers = await asyncio.gather(first, second)
    finally:
        await push.close()
    assert done == ["first", "second"]
    assert all(b"202" in answer for answer in answers)


async def test_a_notification_that_was_read_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found in it counts as told: cut off on its way, a contact's change would be lost."""
    monkeypatch.setattr(module, "_READ_SECONDS", 0.2)
    taken: list[str] = []

    async def take(notices: tuple[Notice, ...]) -> None:
        await asyncio.sleep(0.4)
        taken.append(notices[0].topic)

    push = PushReceiver("127.0.0.1")
    try:
        consumer = await push.add("127.0.0.1", take)
        assert consumer is not None
        assert b"202" in await _send(consumer, _notification("slow"))
    finally:
        await push.close()
    assert taken == ["slow"]


async def test_what_nobody_foresaw_is_said_without_what_was_told(caplog: pytest.LogCaptureFixture) -> None:
    async def take(_notices: tuple[Notice, ...]) -> None:
        raise KeyError("s3cret")

    push = PushReceiver("127.0.0.1")
    try:
        consumer = await push.add("127.0.0.1", take)
        assert consumer is not None
        assert await _send(consumer, _notification("odd")) == b""
    finally:
        await push.close()
    assert "KeyError" in caplog.text
    assert "s3cret" not in caplog.text
