"""Sessions and messages end in their own time, over a restart and a step of the wall clock."""

import asyncio

import pytest

from gateway.alarms.encoding import encode_packet
from gateway.alarms.kept_messages import put_message, take_message
from gateway.alarms.moments import Moment, Moments
from gateway.alarms.packets import LEVEL_5, Publish
from gateway.alarms.properties import Properties
from gateway.errors import PermanentError

WAIT = 1800
HALF_AN_HOUR = Publish(topic="t", payload=b"x", qos=1, packet_id=1, properties=Properties(message_expiry=WAIT))


def run(boot: str, monotonic: float, wall: float) -> Moments:
    return Moments(boot, lambda: monotonic, lambda: wall)


@pytest.mark.parametrize("step", [-3600, 0, 3600])
def test_within_a_boot_the_wall_clock_says_nothing(step: int) -> None:
    body = put_message(HALF_AN_HOUR, 100.0 + WAIT, run("one", 100, 1e9))
    message, expires = take_message(body, run("one", 160, 1e9 + 60 + step))
    assert (message, expires) == (HALF_AN_HOUR, 100.0 + WAIT)


@pytest.mark.parametrize(("step", "left"), [(-3600, WAIT), (0, WAIT - 60), (3600, 0)])
def test_behind_another_boot_it_is_asked_and_believed_for_the_wait_s_length(step: int, left: int) -> None:
    body = put_message(HALF_AN_HOUR, 100.0 + WAIT, run("one", 100, 1e9))
    _message, expires = take_message(body, run("two", 7, 1e9 + 60 + step))
    assert expires == 7 + left


def test_what_never_expires_does_not() -> None:
    plain = Publish(topic="t", payload=b"x")
    assert take_message(put_message(plain, None, run("one", 1, 1e9)), run("two", 2, 0)) == (plain, None)


def test_a_message_of_an_older_gateway_has_its_wall_time_alone() -> None:
    older = Moment("", 0.0, 1e9 + 500).packed()[:8] + encode_packet(HALF_AN_HOUR, LEVEL_5)
    assert take_message(older, run("one", 100, 1e9)) == (HALF_AN_HOUR, 600.0)


@pytest.mark.parametrize("size", range(8, 40))
def test_half_a_body_is_said(size: int) -> None:
    body = put_message(HALF_AN_HOUR, 1.0, run("0123456789abcdef", 1, 1e9))
    with pytest.raises(PermanentError):
        take_message(body[:size], run("one", 1, 1e9))


async def test_the_machine_s_own_clocks_and_boot() -> None:
    ours = Moments()
    in_a_minute = ours.at(asyncio.get_running_loop().time() + 60)
    assert 59 < Moments().left_until(in_a_minute, 60) <= 60
