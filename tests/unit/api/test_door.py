"""Connections are shared: no address holds more than its share, and those that do least go first."""

import pytest

from gateway.api.door import Door, network_of


class Caller:
    """Somebody with a connection."""

    def __init__(self, *, served: bool = False) -> None:
        self.is_served = served
        self.ejected = False

    def eject(self) -> None:
        self.ejected = True


def entered(door: Door, address: str, count: int) -> list[Caller]:
    callers = [Caller() for _ in range(count)]
    for caller in callers:
        assert door.enter(caller, address)
    return callers


def test_the_oldest_of_an_address_goes_when_its_share_is_full() -> None:
    door = Door(most=10, share=3)
    callers = entered(door, "a", 5)
    assert [each.ejected for each in callers] == [True, True, False, False, False]
    assert len(door) == 3


def test_whoever_is_being_answered_stays_before_who_only_holds_a_place() -> None:
    door = Door(most=10, share=2)
    served, idle, new = Caller(served=True), Caller(), Caller()
    for each in (served, idle, new):
        door.enter(each, "a")
    assert [each.ejected for each in (served, idle, new)] == [False, True, False]


def test_one_address_does_not_take_another_ones_places() -> None:
    door = Door(most=6, share=4)
    guard = entered(door, "guard", 1)[0]
    entered(door, "flood", 100)
    entered(door, "flood too", 100)
    assert not guard.ejected
    assert len(door) <= 6


def test_who_has_signed_in_counts_to_no_address_and_is_not_ejected_for_strangers() -> None:
    door = Door(most=6, share=2)
    guards = entered(door, "proxy", 1)
    door.sign_in(guards[0], "session 1")
    for number in range(2, 4):
        guards += entered(door, "proxy", 1)
        door.sign_in(guards[-1], f"session {number}")
    flood = entered(door, "proxy", 50)
    assert not any(guard.ejected for guard in guards)
    assert [each.ejected for each in flood[-2:]] == [False, False]


def test_one_sign_in_has_a_share_too() -> None:
    door = Door(most=10, share=2)
    callers = entered(door, "a", 1)
    door.sign_in(callers[0], "k")
    for _ in range(2):
        callers += entered(door, "a", 1)
        door.sign_in(callers[-1], "k")
    assert [each.ejected for each in callers] == [True, False, False]


def test_signed_out_is_a_stranger_again() -> None:
    door = Door(most=10, share=1)
    caller = entered(door, "a", 1)[0]
    door.sign_in(caller, "k")
    door.sign_out(caller, "a")
    entered(door, "a", 1)
    assert caller.ejected


def test_nobody_comes_in_when_it_is_full_of_people_who_have_signed_in() -> None:
    door = Door(most=2, share=2)
    for number, caller in enumerate(entered(door, "a", 2)):
        door.sign_in(caller, f"k{number}")
    assert not door.enter(Caller(), "b")


def test_who_left_is_forgotten_and_may_leave_twice() -> None:
    door = Door(most=2, share=2)
    caller = entered(door, "a", 1)[0]
    door.leave(caller)
    door.leave(caller)
    door.sign_in(caller, "k")
    assert len(door) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somebody", "somebody"),
        ("", ""),
    ],
)
def test_ipv6_is_counted_by_network(address: str, network: str) -> None:
    assert network_of(address) == network
