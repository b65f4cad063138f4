"""Sends the messages of push subscriptions to their consumers (WS-BaseNotification 1.3 §3.2)."""

import asyncio
from urllib.parse import urlsplit

from gateway.simulators.camera.onvif import notification, soap
from gateway.simulators.camera.onvif.subscriptions import Subscription, Subscriptions
from gateway.simulators.camera.quirks import Quirks

_LOOK_SECONDS = 0.02
_SEND_SECONDS = 3.0
_MOST = 50


async def push_all(subscriptions: Subscriptions, quirks: Quirks) -> None:
    """Send for ever; a consumer that cannot be reached loses its messages."""
    while True:
        for subscription in subscriptions.alive:
            if subscription.consumer and subscription.waiting:
                try:
                    async with asyncio.timeout(_SEND_SECONDS):
                        await _send(subscription, quirks)
                except (OSError, TimeoutError, EOFError, ValueError):  # the last: its address or its answer is none
                    continue
        await asyncio.sleep(_LOOK_SECONDS)


async def _send(subscription: Subscription, quirks: Quirks) -> None:
    messages = "".join(notification.message(each, quirks) for each in subscription.take(_MOST))
    body = soap.envelope(f"<wsnt:Notify>{messages}</wsnt:Notify>")
    parts = urlsplit(subscription.consumer)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write(
            f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        writer.write(body)
        await writer.drain()
        await reader.readline()
    finally:
        writer.close()
