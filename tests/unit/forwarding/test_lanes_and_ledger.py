"""Order per source, who may overtake, room per source, and the low-water mark."""

import random
from datetime import UTC, datetime

import pytest

from gateway.events import ButtonTested, Severity
from gateway.forwarding.lanes import LANE, Lanes, Waiting
from gateway.forwarding.ledger import Ledger
from gateway.storage import Stored

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def stored(position: int, source: str = "a", severity: Severity = Severity.INFO) -> Stored:
    event = ButtonTested(id=f"e{position}", source=source, subject=source, time=START, severity=severity, device=source)
    return Stored(position, event, b"{}")


def critical(position: int, source: str = "a") -> Stored:
    return stored(position, source, Severity.CRITICAL)


def positions(found: list[Waiting]) -> list[int]:
    return [each.stored.position for each in found]


def filled(*events: Stored) -> Lanes:
    lanes = Lanes()
    for each in events:
        lanes.add(each)
    return lanes


def of(lanes: Lanes, position: int) -> Waiting:
    return next(each for each in lanes.ready(1e9) if each.stored.position == position)


def test_of_each_source_the_oldest_is_ready_and_sources_with_something_critical_go_first() -> None:
    lanes = filled(stored(1), stored(2), stored(3, "b"), stored(4, "d"), critical(5, "c"), critical(6, "d"))
    assert positions(lanes.ready(0)) == [4, 5, 1, 3]
    lanes.done(of(lanes, 4))
    lanes.done(of(lanes, 6))
    lanes.add(stored(7, "d"))
    assert positions(lanes.ready(0)) == [5, 1, 3, 7]


def test_what_comes_later_in_its_source_waits_for_what_is_in_flight() -> None:
    lanes = filled(stored(1), critical(2))
    first = of(lanes, 1)
    first.in_flight = True
    assert lanes.ready(0) == []
    lanes.done(first)
    assert positions(lanes.ready(0)) == [2]


def test_a_retry_waits_for_its_time_and_others_do_not() -> None:
    lanes = filled(stored(1), critical(2, "b"))
    lanes.failed(of(lanes, 1), 10.0)
    assert positions(lanes.ready(9.9)) == [2]
    assert lanes.next_try(9.9) == 10.0
    assert positions(lanes.ready(10.0)) == [2, 1]
    assert lanes.next_try(10.0) is None


def test_a_press_overtakes_a_lesser_event_of_its_own_button_that_is_stuck() -> None:
    lanes = filled(stored(1), stored(2), critical(3), critical(4))
    for _ in range(4):
        lanes.failed(of(lanes, 1), 0.0)
        assert positions(lanes.ready(0)) == [1]
    lanes.failed(of(lanes, 1), 50.0)
    assert positions(lanes.ready(0)) == [3]
    of(lanes, 3).in_flight = True
    assert positions(lanes.ready(60)) == [1]


def test_a_press_overtakes_a_press_only_if_the_destination_takes_others() -> None:
    lanes = filled(critical(1), critical(2), stored(3, "b"))
    for _ in range(30):
        lanes.failed(of(lanes, 1), 0.0)
    assert positions(lanes.ready(0)) == [1, 3]
    lanes.done(of(lanes, 3))
    lanes.took_one()
    assert positions(lanes.ready(0)) == [1, 2]


def test_everything_can_be_hurried() -> None:
    lanes = filled(stored(1), stored(2, "b"))
    for position in (1, 2):
        lanes.failed(of(lanes, position), 500.0)
    assert lanes.ready(0) == []
    lanes.hurry()
    assert positions(lanes.ready(0)) == [1, 2]


def test_the_same_event_is_in_a_lane_once_and_late_ones_find_their_place() -> None:
    lanes = filled(stored(1), critical(9), stored(5), stored(5), stored(1))
    order = []
    while ready := lanes.ready(0):
        order.append(ready[0].stored.position)
        lanes.done(ready[0])
    assert order == [1, 5, 9]
    assert len(lanes) == 0


def test_a_full_lane_takes_no_more_but_presses_and_leaves_room_to_others() -> None:
    lanes = filled(*(stored(n) for n in range(1, LANE + 21)), critical(900), stored(901, "b"))
    assert (len(lanes), lanes.missing) == (LANE + 2, 20)
    assert lanes.hungry() == []
    for _ in range(LANE // 2 + 1):
        lanes.done(of(lanes, lanes.ready(0)[0].stored.position))
    ((source, after),) = lanes.hungry()
    assert (source, after) == ("a", LANE)
    lanes.refill("a", [stored(n) for n in range(LANE + 1, LANE + 21)], whole_to=None, read=10**6)
    assert (lanes.missing, lanes.hungry()) == (0, [])
    order = []
    while ready := [each for each in lanes.ready(0) if each.stored.event.source == "a"]:
        order.append(ready[0].stored.position)
        lanes.done(ready[0])
    assert order == [*range(LANE // 2 + 2, LANE + 21), 900]


def test_presses_in_a_lane_do_not_keep_it_from_fetching_what_goes_before_them() -> None:
    lanes = filled(*(critical(n) for n in range(500, 500 + LANE)))
    lanes.lacks("a", 40)
    lanes.lacks("a", 90)
    lanes.lacks("nobody", 1)
    assert lanes.hungry() == [("a", 40)]
    lanes.refill("a", [stored(41), stored(42), stored(501)], whole_to=None, read=41)
    assert (positions(lanes.ready(0)), lanes.hungry()) == ([41], [])
    assert (len(lanes), lanes.beyond(41)) == (LANE + 2, LANE + 1)


def test_only_what_was_missed_in_order_is_counted_as_found() -> None:
    lanes = filled(*(stored(n) for n in range(1, LANE + 11)))
    lanes.refill("a", [stored(LANE + 1), stored(900)], whole_to=900, read=LANE + 10)
    assert lanes.missing == 9


def test_a_lane_that_lacks_events_is_not_forgotten_when_it_is_empty() -> None:
    lanes = filled(*(stored(n) for n in range(1, LANE + 3)))
    while ready := lanes.ready(0):
        lanes.done(ready[0])
    assert lanes.hungry() == [("a", LANE)]
    lanes.refill("a", [], whole_to=None, read=10**6)
    assert (lanes.hungry(), lanes.oldest()) == ([], None)


def test_the_oldest_is_told() -> None:
    lanes = filled(stored(3), stored(2, "b"))
    oldest = lanes.oldest()
    assert oldest is not None
    assert (oldest.stored.position, oldest.attempts) == (2, 0)


def test_the_low_mark_moves_over_what_is_settled_without_a_gap() -> None:
    ledger = Ledger(10, {12, 13, 5})
    assert (ledger.low, ledger.low_with(11), ledger.low_with(14)) == (10, 13, 10)
    ledger.settle(14)
    assert (ledger.low, ledger.low_with(11)) == (10, 14)
    ledger.settle(11)
    assert (ledger.low, ledger.has(14), ledger.has(15)) == (14, True, False)
    ledger.settle(3)
    assert ledger.low == 14


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_positions_settle_none_is_skipped(seed: int) -> None:
    order = list(range(1, 60))
    random.Random(seed).shuffle(order)  # a fixed order each
    ledger, settled = Ledger(0, ()), set[int]()
    for position in order:
        told = ledger.low_with(position)
        ledger.settle(position)
        settled.add(position)
        assert ledger.low == told == max(low for low in range(60) if set(range(1, low + 1)) <= settled)


@pytest.mark.parametrize(("low", "settled"), [(900, ()), (950, ()), (0, ()), (899, (950,))])
def test_what_will_never_be_counts_as_settled(low: int, settled: tuple[int, ...]) -> None:
    ledger = Ledger(low, settled)
    ledger.skip(900, 1001)
    for position in range(low + 1, 901):
        ledger.settle(position)
    assert ledger.low == 1000
    assert ledger.low_with(1001) == 1001
    ledger.settle(1001)
    assert ledger.low == 1001


def test_what_is_before_a_gap_still_holds_the_low_mark() -> None:
    ledger = Ledger(10, ())
    ledger.skip(12, 1000)
    ledger.settle(1000)
    assert ledger.low == 10
    ledger.settle(12)
    ledger.settle(11)
    assert ledger.low == 1000
