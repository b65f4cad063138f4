"""Clients who are gone before they could be answered."""

import asyncio
import gc
from typing import Any

from harness.endpoint import Client, Desk, press, running

from gateway.alarms.packets import Pingreq, Pingresp


async def test_what_could_not_be_stored_of_one_who_left_is_no_unheard_error() -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unheard.append(context))
    desk = Desk(failing=True)
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        await client.send(press(1), press(2), press(3), Pingreq())
        assert await client.read() == Pingresp()
        await client.close()
        desk.gate.set()
    gc.collect()
    await asyncio.sleep(0)
    assert unheard == []
