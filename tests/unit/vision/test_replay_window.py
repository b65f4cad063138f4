"""What of a replay becomes a clip: from the keyframe before its beginning to its end, and what is missing."""

import pytest

from gateway.cameras import ReplayedPicture
from gateway.errors import PermanentError
from gateway.vision.video import own_recording
from gateway.vision.video.own_recording import ReplayWindow

SINCE, UNTIL = 100.0, 110.0


def picture(at: float | None, *, keyframe: bool = False, last: bool = False, size: int = 10) -> ReplayedPicture:
    return ReplayedPicture(b"x" * size, at, keyframe, last)


def played(*at: float, every: float = 2.0) -> tuple[ReplayWindow, list[float]]:
    """A camera that has a keyframe each two seconds."""
    window = ReplayWindow(SINCE, UNTIL)
    written = [
        each.received
        for moment in at
        if not window.over
        for each in window.take(picture(moment, keyframe=moment % every == 0))
    ]
    return window, written


def moments(begin: float, end: float) -> list[float]:
    return [begin + step / 2 for step in range(round((end - begin) * 2) + 1)]


def test_it_begins_at_the_keyframe_before_and_ends_behind_the_end() -> None:
    window, written = played(*moments(95, 130), every=3)
    assert written == moments(99, 110)
    assert (window.complete, window.over, window.late_seconds, window.lost_seconds) == (True, True, 0, 0)


def test_what_is_missing_of_its_beginning_within_and_of_its_end_is_told() -> None:
    window, written = played(*moments(104, 105), *moments(109, 109.5))
    assert written[0] == 104
    assert (window.late_seconds, window.lost_seconds) == (4, 4)
    assert window.reached
    assert not window.complete
    window, _ = played(*moments(100, 105))
    assert (window.late_seconds, window.lost_seconds, window.reached) == (0, 0, False)


@pytest.mark.parametrize("at", [moments(50, 90), moments(111, 120), []])
def test_a_recording_of_another_time_gives_nothing(at: list[float]) -> None:
    window, written = played(*at)
    assert not written
    assert not window.complete


def test_a_replay_that_begins_again_is_over() -> None:
    window, written = played(*moments(100, 104), *moments(100, 120))
    assert written == moments(100, 104)
    assert window.over


def test_what_ended_long_before_is_left_out() -> None:
    window, written = played(*moments(80, 90), *moments(104, 111))
    assert written == moments(104, 110)
    assert (window.late_seconds, window.lost_seconds) == (4, 0)


def test_what_the_camera_says_is_the_last_is_the_last() -> None:
    window = ReplayWindow(SINCE, UNTIL)
    assert not window.take(picture(99.0, keyframe=True))
    assert len(window.take(picture(100.0, last=True))) == 2
    assert window.over


def test_pictures_that_are_told_out_of_their_order_keep_their_times() -> None:
    window = ReplayWindow(SINCE, UNTIL)
    written = [each for at in (100.0, 100.2, 100.1) for each in window.take(picture(at, keyframe=at == 100))]
    assert [each.pts for each in written] == [0, 18_000, 9_000]


def test_a_replay_without_times_or_keyframes_makes_no_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermanentError, match="does not tell"):
        ReplayWindow(SINCE, UNTIL).take(picture(None, keyframe=True))
    monkeypatch.setattr(own_recording, "_MOST_HELD_BYTES", 25)
    window = ReplayWindow(SINCE, UNTIL)
    window.take(picture(90, keyframe=True))
    window.take(picture(91, keyframe=True))
    window.take(picture(92))
    with pytest.raises(PermanentError, match="too many pictures or bytes"):
        window.take(picture(93))


def test_a_group_of_pictures_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pictures of a few bytes each the bound on bytes lets millions through."""
    monkeypatch.setattr(own_recording, "_MOST_HELD", 50)
    window = ReplayWindow(SINCE, UNTIL)
    window.take(picture(50, keyframe=True))
    for number in range(49):
        window.take(picture(50 + number / 100, size=1))
    with pytest.raises(PermanentError, match="too many pictures"):
        window.take(picture(51, size=1))
