"""Ages at decision, and gates that hang."""

import sys
import threading

from gateway.vision.video.motion import GateCounts
from gateway.vision.video.watchers import DecisionAges, GateWatch, LookWatch

HOUR, DAY = 3600.0, 86400.0


def test_ages_are_of_the_last_minute() -> None:
    ages = DecisionAges()
    assert ages.milliseconds(0.95) == -1.0
    for number in range(2000):
        ages.note(9.0 if number < 1000 else number % 100 / 1000, number / 1000)
    assert ages.milliseconds(0.5) == 50.0
    assert ages.milliseconds(0.95) == 95.0
    for number in range(3):
        ages.note(0.2, 61.0 + number)
    assert ages.milliseconds(0.5) == 200.0


def judged(share_moved: float, hours: float) -> str:
    watch, asked, moved, said = GateWatch(0.0), 0, 0, ""
    for minute in range(1, int(hours * 60) + 1):
        asked += 300
        moved += round(300 * share_moved)
        said = watch.judge(GateCounts(asked, moved), minute * 60.0)
    return said


def test_a_gate_that_works_is_not_complained_of() -> None:
    assert judged(0.3, 30) == ""
    assert judged(0.01, 30) == ""


def test_a_gate_that_never_shuts_is_told_after_an_hour() -> None:
    assert judged(1.0, 0.9) == ""
    assert judged(1.0, 1.2) == "never_shuts"


def test_a_gate_that_never_opens_is_told_after_a_day_and_recovers() -> None:
    assert judged(0.0, 23) == ""
    assert judged(0.0, 25) == "never_opens"
    watch = GateWatch(0.0)
    watch.judge(GateCounts(5000, 0), DAY + 1)
    assert watch.judge(GateCounts(5001, 1), DAY + 2) == ""


def test_ages_are_read_while_looks_go_on() -> None:
    """The heartbeat reads what each camera's thread writes: what it raised ended all cameras of a child."""
    ages, over = DecisionAges(), threading.Event()

    def look() -> None:
        number = 0
        while not over.is_set():
            ages.note(0.1, number / 1000)
            number += 1

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=look, name="looker")
    thread.start()
    try:
        told = {ages.milliseconds(0.95) for _ in range(300)}
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(usual)
    assert told <= {100.0, -1.0}


def test_looks_that_fail_are_told_once_and_their_end_once() -> None:
    watch, said = LookWatch(), list[bool | None]()
    for done in [False] * 4 + [True] + [False] * 7 + [True] * 3:
        if done:
            watch.note_done()
        else:
            watch.note_failed(0.0)
        said.append(watch.news())
    assert [each for each in said if each is not None] == [True, False]
    assert said.index(True) == 9
    assert watch.failed == 11


def test_the_log_has_a_failing_look_once_a_minute() -> None:
    watch = LookWatch()
    assert [watch.note_failed(float(second)) for second in range(0, 180, 20)] == [True, False, False] * 3
