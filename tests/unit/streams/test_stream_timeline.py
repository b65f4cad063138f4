"""Camera time, pace, and the watch over a camera's clock."""

import pytest

from gateway.streams import LossReason
from gateway.streams.loss import StreamFaultError
from gateway.streams.timeline import ClockWatch, Pace, Timeline


def test_a_recordings_rounds_follow_without_gap() -> None:
    timeline = Timeline()
    placed = []
    for _ in range(2):
        timeline.new_session()
        placed += [timeline.place(5 + index * 0.1, 0.0, live=False) for index in range(3)]
    assert placed == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_live_session_begins_after_the_time_that_really_passed() -> None:
    timeline = Timeline()
    timeline.new_session()
    assert timeline.place(100.0, 50.0, live=True) == pytest.approx(0, abs=1e-9)
    assert timeline.place(100.04, 50.04, live=True) == pytest.approx(0.04)
    timeline.new_session()
    assert timeline.place(3.0, 57.04, live=True) == pytest.approx(7.04)


def test_a_live_session_whose_first_frame_has_no_time_begins_there_too() -> None:
    timeline = Timeline()
    timeline.new_session()
    timeline.place(0.0, 50.0, live=True)
    timeline.new_session()
    assert timeline.place(None, 57.0, live=True) == pytest.approx(7.0)
    assert timeline.place(3.0, 57.001, live=True) == pytest.approx(7.04)


def test_frames_without_or_with_repeated_times_still_go_on() -> None:
    timeline = Timeline()
    timeline.new_session()
    placed = [timeline.place(media, 0.0, live=True) for media in (None, 9.0, 9.04, 9.04, 8.9, None, 9.12)]
    assert placed == sorted(set(placed))
    assert placed[-1] == pytest.approx(placed[1] + 0.12, abs=0.01)


def test_the_pace_holds_frames_back_and_does_not_catch_up() -> None:
    pace = Pace()
    assert pace.wait_seconds(0.0, 100.0) == 0
    assert pace.wait_seconds(0.5, 100.2) == pytest.approx(0.3)
    assert pace.wait_seconds(0.54, 100.9) == 0
    # The machine slept for a minute: the next frame is due now, and the one after it a step later.
    assert pace.wait_seconds(0.58, 160.0) == 0
    assert pace.wait_seconds(0.62, 160.0) == pytest.approx(0.04)


@pytest.mark.parametrize("step", [-5.0, 60.0, -1e6])
def test_a_jump_of_the_stream_clock_is_found(step: float) -> None:
    watch = ClockWatch(8.0)
    watch.check(100.0, 0.0)
    watch.check(100.04, 0.04)
    with pytest.raises(StreamFaultError) as caught:
        watch.check(100.04 + step, 0.08)
    assert caught.value.reason is LossReason.CLOCK_JUMP


def test_a_pause_of_the_network_is_no_jump() -> None:
    watch = ClockWatch(8.0)
    watch.check(100.0, 0.0)
    watch.check(130.0, 30.0)
    watch.check(None, 31.0)
    watch.check(129.5, 31.0)


def test_a_clock_that_stands_still_is_found_only_after_a_while() -> None:
    watch = ClockWatch(8.0)
    for received in (0.0, 1.0, 7.9):
        watch.check(0.0, received)
    with pytest.raises(StreamFaultError) as caught:
        watch.check(0.0, 8.0)
    assert caught.value.reason is LossReason.CLOCK_STUCK


def test_a_clock_that_goes_back_little_by_little_stands_still() -> None:
    watch = ClockWatch(8.0)
    for number in range(80):
        watch.check(100.0 - number * 0.5, number * 0.1)
    with pytest.raises(StreamFaultError) as caught:
        watch.check(60.0, 8.0)
    assert caught.value.reason is LossReason.CLOCK_STUCK
    assert not watch.goes


def test_pictures_out_of_order_are_no_clock_that_goes_back() -> None:
    watch = ClockWatch(8.0)
    for number in range(300):
        watch.check(number * 0.04 + (0.0, 0.08, -0.08)[number % 3], number * 0.04)


@pytest.mark.parametrize(
    ("times", "goes"), [([], False), ([0.0, 5.0, 5.0, 5.0], False), ([None, 5.0, None, 5.0], False), ([0, 1, 2], True)]
)
def test_a_clock_goes_once_it_was_seen_to_step_twice(times: list[float | None], goes: bool) -> None:
    watch = ClockWatch(8.0)
    for number, media in enumerate(times):
        watch.check(media, number * 0.04)
    assert watch.goes is goes


def test_frames_whose_clock_stands_are_placed_a_picture_apart_once_it_is_known() -> None:
    timeline = Timeline()
    timeline.new_session()
    for number in range(5):
        timeline.place(number * 0.1, number * 0.1, live=True)
    for number in range(5, 30):
        timeline.place(0.4, number * 0.1, live=True)
    before = timeline.place(None, 3.0, live=True)
    assert timeline.place(None, 3.1, live=True) - before == pytest.approx(0.1)
