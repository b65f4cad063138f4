"""Relays of cameras across the lives of the devices child."""

from gateway.wire import SwitchRelay
from gateway.workers.relays import RelayBook


def _told(*, on: bool, seconds: float = 60.0) -> SwitchRelay:
    return SwitchRelay(camera="cam-01", relay="r1", on=on, seconds=seconds)


def test_a_siren_goes_on_for_the_rest_of_its_time() -> None:
    book = RelayBook()
    book.note(_told(on=True), 100.0)
    assert book.wanted(120.0) == (_told(on=True, seconds=40.0),)


def test_one_whose_time_is_over_or_that_was_told_off_is_told_off_again() -> None:
    book = RelayBook()
    book.note(_told(on=True), 100.0)
    assert book.wanted(170.0) == (_told(on=False, seconds=0.0),)
    book.note(_told(on=True), 200.0)
    book.note(_told(on=False), 210.0)
    assert book.wanted(220.0) == (_told(on=False, seconds=0.0),)


def test_what_is_long_over_is_left_to_others() -> None:
    book = RelayBook()
    book.note(_told(on=False), 100.0)
    assert book.wanted(800.0) == ()
