"""The newest frame wins, and a loss is told once."""

import threading

import numpy as np
import pytest

from gateway.clock import ManualClock
from gateway.streams import Frame, LossReason, StreamConnecting, StreamLive, StreamLost, StreamState, StreamStopped
from gateway.streams.board import Board


def frame(number: int, received: float = 1000.0) -> Frame:
    return Frame.from_rgb(np.zeros((8, 16, 3), np.uint8), number=number, received=received)


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    board = Board(ManualClock())
    for number in (1, 2, 3):
        board.put(frame(number), "h264", 2.0)
    taken = board.take(0)
    assert isinstance(taken, Frame)
    assert taken.number == 3
    assert board.take(0) is None
    counters = board.counters
    assert (counters.seen, counters.looked, counters.skipped, counters.decode_ms) == (3, 1, 2, 2.0)


def test_the_state_tells_the_streams_own_size() -> None:
    clock = ManualClock()
    board = Board(clock)
    states: list[StreamState] = [board.state]
    board.connecting(1)
    states.append(board.state)
    board.put(frame(1), "hevc", 1.0)
    states.append(board.state)
    now = clock.now()
    assert states == [StreamStopped(now), StreamConnecting(now, 1), StreamLive(now, 16, 8, "hevc")]


def test_a_loss_is_told_once_and_again_only_for_another_reason() -> None:
    clock = ManualClock()
    board = Board(clock)
    began = clock.now()
    board.lost(LossReason.REFUSED, 1, 0.5)
    assert board.take(0) == StreamLost(began, LossReason.REFUSED, 1, 0.5)
    clock.advance(5)
    board.connecting(2)
    board.lost(LossReason.REFUSED, 2, 1.5)
    assert board.take(0) is None
    assert board.state == StreamLost(began, LossReason.REFUSED, 2, 1.5)
    board.lost(LossReason.UNAUTHORIZED, 3, 2.5)
    assert board.take(0) == StreamLost(began, LossReason.UNAUTHORIZED, 3, 2.5)
    assert board.counters.losses == 1


def test_a_loss_is_told_before_the_frame_that_ends_it() -> None:
    board = Board(ManualClock())
    board.put(frame(1), "h264", 1.0)
    board.lost(LossReason.STALLED, 1, 0.1)
    board.put(frame(2), "h264", 1.0)
    first, second = board.take(0), board.take(0)
    assert isinstance(first, StreamLost)
    assert isinstance(second, Frame)
    assert second.number == 2
    assert isinstance(board.state, StreamLive)
    board.lost(LossReason.STALLED, 1, 0.1)
    assert isinstance(board.take(0), StreamLost)
    assert board.counters.losses == 2


def test_the_age_of_the_newest_frame() -> None:
    clock = ManualClock()
    board = Board(clock)
    assert board.frame_age() is None
    board.put(frame(1, clock.monotonic()), "h264", 1.0)
    clock.advance(3)
    assert board.frame_age() == 3


def test_a_waiting_looker_is_woken() -> None:
    board = Board(ManualClock())
    found: list[object] = []
    looker = threading.Thread(target=lambda: found.append(board.take(30)))
    looker.start()
    board.put(frame(7), "h264", 1.0)
    looker.join(30)
    assert isinstance(found[0], Frame)


def test_a_recordings_end_stays_the_state() -> None:
    board = Board(ManualClock())
    board.lost(LossReason.ENDED, 0, None)
    board.stopped()
    assert isinstance(board.state, StreamLost)
    assert isinstance(board.take(0), StreamLost)
    assert board.take(0) is None


def test_what_is_doubted_ends_no_loss_and_is_looked_at_all_the_same() -> None:
    board = Board(ManualClock())
    board.put(frame(1), "h264", 1.0)
    board.lost(LossReason.CLOCK_STUCK, 1, 0.1)
    assert isinstance(board.take(0), StreamLost)
    for number in (2, 3):
        board.skip(1000.0, 16, 8, "h264", doubted=True)
        board.put(frame(number), "h264", 1.0, doubted=True)
        assert isinstance(board.take(0), Frame)
        board.lost(LossReason.CLOCK_STUCK, number, 0.1)
        assert board.take(0) is None
    assert board.counters.losses == 1
    board.put(frame(4), "h264", 1.0)
    assert isinstance(board.state, StreamLive)


@pytest.mark.parametrize("rests", [False, True])
def test_another_size_in_mid_stream_is_told_and_is_no_new_beginning(rests: bool) -> None:
    clock = ManualClock()
    board = Board(clock)
    board.put(frame(1), "h264", 1.0)
    began = clock.now()
    clock.advance(5)
    if rests:
        board.skip(1005.0, 32, 24, "h264")
    else:
        board.put(Frame.from_rgb(np.zeros((24, 32, 3), np.uint8)), "h264", 1.0)
    assert board.state == StreamLive(began, 32, 24, "h264")
