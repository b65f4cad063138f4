"""One after the other with the same key, and not too many of them."""

import asyncio

import pytest

from gateway.api.turns import Crowd, CrowdedError, Turns


async def test_the_same_key_waits_and_another_does_not() -> None:
    turns, log = Turns(), list[str]()

    async def visit(key: str, name: str) -> None:
        async with turns.of(key):
            log.append(f"{name} in")
            await asyncio.sleep(0)
            log.append(f"{name} out")

    await asyncio.gather(visit("a", "1"), visit("a", "2"), visit("b", "3"))
    assert log.index("1 out") < log.index("2 in")
    assert log.index("3 in") < log.index("1 out")


def test_a_crowd_has_its_limit_per_key() -> None:
    crowd = Crowd(2)
    with crowd.one("a"), crowd.one("a"), crowd.one("b"), pytest.raises(CrowdedError), crowd.one("a"):
        pytest.fail("there were two already")
    with crowd.one("a"):
        pass
