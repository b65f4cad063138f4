"""A stream that was set up anew is told once, with both; what a camera does not tell is no change."""

from gateway.cameras import MediaProfile
from gateway.vision.devices.profile_drift import Drift, ProfileWatch

MAIN = MediaProfile("p1", "main", 1920, 1080, "H264", 25.0)
SUB = MediaProfile("p2", "sub", 640, 360, "H264", 25.0)


def test_a_change_is_told_once_with_both() -> None:
    watch = ProfileWatch()
    assert watch.judge((MAIN, SUB)) == ()

    smaller = MediaProfile("p1", "main", 1280, 720, "H265", 12.0)

    assert watch.judge((smaller, SUB)) == (Drift("main", "1920x1080 H264 25 fps", "1280x720 H265 12 fps"),)
    assert watch.judge((smaller, SUB)) == ()


def test_another_profile_in_its_place_and_a_change_of_the_sub_stream_are_changes_too() -> None:
    watch = ProfileWatch()
    watch.judge((MAIN, SUB))

    slower = MediaProfile("p2", "sub", 640, 360, "H264", 5.0)
    larger = MediaProfile("p9", "new", 2560, 1440, "H264", 25.0)

    drifts = watch.judge((MAIN, slower, larger))

    assert [(each.stream, each.now) for each in drifts] == [
        ("main", "2560x1440 H264 25 fps"),
        ("sub", "640x360 H264 5 fps"),
    ]


def test_what_is_not_told_is_no_change() -> None:
    watch = ProfileWatch()
    watch.judge((MAIN,))
    assert watch.judge((MediaProfile("p1", "main"),)) == ()
    assert watch.judge(()) == ()
    assert watch.judge((MAIN,)) == ()


def test_what_is_told_for_the_first_time_is_no_change() -> None:
    watch = ProfileWatch()
    watch.judge((MediaProfile("p1", "main", 1920, 1080),))
    assert watch.judge((MAIN,)) == ()
    assert len(watch.judge((MediaProfile("p1", "main", 1920, 1080, "H265", 25.0),))) == 1
