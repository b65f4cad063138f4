"""A consumer that is no address loses its messages, and ends no camera."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.simulators.camera.onvif import Happenings, Subscriptions, push_all
from gateway.simulators.camera.quirks import Quirks


@pytest.mark.parametrize("consumer", ["http://127.0.0.1:99999/x", "http://[::1/x", "http://" + "a" * 70 + ".b/x"])
async def test_a_consumer_that_is_no_address_ends_no_camera(consumer: str) -> None:
    quirks = Quirks.parse(())
    subscriptions = Subscriptions(Happenings(lambda: datetime.now(UTC)), quirks)
    subscription = subscriptions.add("PT60S", consumer)
    task = asyncio.create_task(push_all(subscriptions, quirks), name="push")
    while subscription.waiting and not task.done():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
