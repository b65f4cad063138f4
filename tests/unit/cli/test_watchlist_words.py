"""What the commands of the watch-list and of its threshold say."""

from dataclasses import replace

import pytest

from gateway.api import told
from gateway.cli.matching import told_in_words
from gateway.cli.reembedding import Failure, Outcome
from gateway.cli.watchlist import told_of
from gateway.wire import CalibrationReply, CalibrationRow, CameraThresholds

MODEL = "dlib-2a3b"
ROW = CalibrationRow(
    rule="track",
    threshold=0.35760000000000003,
    fmr=1e-5,
    fpir=1e-4,
    per_day=0.9,
    at_least=0.1,
    at_most=3.0,
    fnmr=0.01,
    from_site=False,
    decades=0.0,
)
REPLY = CalibrationReply(
    request=1,
    people=2,
    templates=5,
    tracks_per_day=2000.0,
    tracks_seen=4,
    tracks_missing=5996,
    default=CameraThresholds(camera="", full=0.447, small=0.35760000000000003),
    cameras=(CameraThresholds(camera="gate", full=0.44700000000000006, small=0.35760000000000003),),
    in_use=ROW,
    rows=(ROW,),
)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome(MODEL, current=5, current_people=2),
            f"Nothing to do: all 5 templates of 2 people are of {MODEL}.",
        ),
        (Outcome(MODEL, current=1, current_people=1), f"Nothing to do: all 1 template of 1 person is of {MODEL}."),
        (Outcome(MODEL), "Nothing to do: there is no photo on the watch-list."),
        (
            Outcome(MODEL, people=2, templates=5, current=1, current_people=1),
            f"Made anew by {MODEL}: 5 templates of 2 people. Of it already: 1 template.",
        ),
    ],
)
def test_a_run_says_what_was_done_or_that_there_was_nothing_to_do(outcome: Outcome, words: str) -> None:
    assert told_of(outcome) == words


def test_a_run_in_which_photos_failed_had_something_to_do() -> None:
    failed = Outcome(MODEL, failures=[Failure("p1", "Wang", "ph1", "no_face")])
    assert "Nothing" not in told_of(failed)


def test_thresholds_are_told_to_three_places() -> None:
    figures = told(REPLY)
    assert figures["cameras"] == [{"camera": "gate", "threshold": 0.447, "small_face_threshold": 0.358}]
    assert (figures["in_use"]["threshold"], figures["in_use"]["small_face_threshold"]) == (0.358, 0.358)
    assert figures["thresholds"][0]["threshold"] == 0.358


def test_an_estimate_says_how_many_faces_are_missing_until_the_sites_own_counts_decide() -> None:
    assert told(REPLY)["faces_missing"] == 5996
    assert "5996 more faces must be seen here until the site's own counts decide." in told_in_words(REPLY)
    own = replace(REPLY, in_use=replace(ROW, from_site=True), tracks_seen=6000, tracks_missing=0)
    assert "Based on 6000 faces seen here" in told_in_words(own)
    assert "more face" not in told_in_words(own)
