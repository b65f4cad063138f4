"""What ``status`` and ``doctor`` say in one line about buttons and destinations."""

import pytest

from gateway.cli.status import brief, camera_detail, delivery_detail, device_detail, listed


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            ("not_heard", "", None, None),
            "nothing since the start of the gateway; press it once",
        ),
        (("heard", "", "2026-11-26T08:00:00+00:00", 97.0), "heard last 2026-11-26T08:00:00+00:00, battery 97 %"),
        (("lost", "last_will", "2026-11-26T08:00:00+00:00", None), "last will, heard last 2026-11-26T08:00:00+00:00"),
        (("lost", "silent", None, None), "silent, never heard"),
    ],
)
def test_a_button(found: tuple[object, ...], said: str) -> None:
    assert device_detail(dict(zip(("state", "reason", "last_seen", "battery"), found, strict=True))) == said


@pytest.mark.parametrize(
    ("backlog", "tries", "dead", "error", "said"),
    [
        (0, 0, 0, "", ""),
        (1, 1, 0, "cannot be reached", "1 event waits, tried 1 time: cannot be reached"),
        (2, 0, 0, "", "2 events wait"),
        (3, 7, 0, "answered HTTP 503", "3 events wait, tried 7 times: answered HTTP 503"),
        (0, 0, 1, "answered HTTP 401", "1 event refused for good, to be retried by hand: answered HTTP 401"),
        (1, 0, 12, "", "1 event waits, 12 events refused for good, to be retried by hand"),
    ],
)
def test_a_destination(backlog: int, tries: int, dead: int, error: str, said: str) -> None:
    assert delivery_detail({"backlog": backlog, "tries": tries, "dead": dead, "error": error}) == said


def test_numbers_have_their_nouns() -> None:
    assert listed({"people": 1, "templates": 1, "model": "dlib"}) == "1 person, 1 template"
    assert listed({"people": 0, "templates": 2, "model": "dlib"}) == "0 people, 2 templates"


def test_a_list_that_is_not_loaded_yet_is_not_said_to_be_empty() -> None:
    assert listed({"people": 0, "templates": 0, "model": ""}) == "being loaded"


def test_a_damaged_file_in_one_sentence() -> None:
    detail = "journal.db was damaged and is put aside as /s/journal.db.damaged-20261126T163000Z. The history is gone."
    assert brief(detail) == "journal.db was damaged and is put aside as /s/journal.db.damaged-20261126T163000Z."
    assert brief("It was cut.") == "It was cut."


def test_a_cameras_line_says_what_it_does_and_costs() -> None:
    figures = {"worker": "video-1", "looks_per_second": 4.96, "decode_ms": 2.04, "detect_ms": 6.1, "embed_ms": 7.3}
    figures |= {"resting": False, "decision_age_p95_ms": 81.4, "gate": "", "main": ["", "", 0, 0.0]}
    line = "video-1, 5.0 looks/s, decode + detect + embed 2.0 + 6.1 + 7.3 ms, judged within 81 ms (p95)"
    assert camera_detail(figures) == line
    resting = camera_detail(figures | {"resting": True, "decision_age_p95_ms": -1.0, "gate": "never_shuts"})
    assert resting.startswith("video-1, resting, decode + detect + embed 2.0 + 6.1 + 7.3 ms, ")
    assert "motion" in resting
    lost = camera_detail(figures | {"reason": "invalid_data", "remedy": "Check its stream."}, "connecting")
    assert lost == "video-1, invalid data. Check its stream."
    assert camera_detail(None) == ""
