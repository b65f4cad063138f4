"""Password checks in turn: a flood of one side keeps nobody of another out."""

import asyncio

from gateway.alarms.turnstile import Turnstile


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_sides_take_turns_and_each_has_few_places() -> None:
    turnstile, passed = Turnstile(), list[str]()

    async def one(side: str) -> None:
        if not await turnstile.enter(side):
            passed.append(f"{side} is busy")
            return
        passed.append(side)

    tasks = [asyncio.create_task(one(side)) for side in ("flood", *["flood"] * 5, "button")]
    await _settle()
    assert passed == ["flood", *["flood is busy"] * 3]
    passed.clear()
    for _ in range(3):
        turnstile.leave()
        await _settle()
    assert passed == ["flood", "button", "flood"]
    turnstile.leave()
    assert await turnstile.enter("anybody")
    await asyncio.gather(*tasks)


async def test_who_goes_away_while_waiting_holds_nobody_up() -> None:
    turnstile = Turnstile()
    assert await turnstile.enter("a")
    waiting = [asyncio.create_task(turnstile.enter(side)) for side in ("b", "c", "d")]
    await _settle()
    waiting[0].cancel()
    await _settle()
    turnstile.leave()
    waiting[1].cancel()  # its turn had come, and it did not see it any more
    await _settle()
    assert await asyncio.wait_for(waiting[2], 5)


async def test_all_sides_together_are_bounded() -> None:
    turnstile = Turnstile()
    assert await turnstile.enter("first")
    waiting = [asyncio.create_task(turnstile.enter(str(each))) for each in range(300)]
    await _settle()
    refused = [each for each in waiting if each.done()]
    assert len(refused) == 44
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
