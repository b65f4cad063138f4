"""What the site has seen becomes a question to the gallery child; the answer is told honestly."""

import json
import math
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from gateway.api import calibration_request, told
from gateway.api.figures import one_figure, told_rate
from gateway.cli.det_plot import DetCurve, draw_det
from gateway.cli.matching import told_in_words
from gateway.storage import DistanceRow, FaceWarning, SeenPassages
from gateway.wire import CalibrationReply, CalibrationRow, CameraThresholds

TODAY = date(2026, 11, 23)
ROW = DistanceRow(camera="cam-01", size="full", rule="track", people=100, counts=(0,) * 50 + (4,) + (0,) * 100)
WARNING = FaceWarning(day=TODAY, camera="cam-01", size="full", people=100, scores={"track": 0.415, "mean": 0.4})
IN_USE = CalibrationRow(
    rule="track",
    threshold=0.412,
    fmr=5e-6,
    fpir=5e-4,
    per_day=1.94,
    at_least=0.3,
    at_most=3.7,
    fnmr=0.0123,
    from_site=True,
    decades=0.0,
)
REPLY = CalibrationReply(
    request=1,
    people=120,
    templates=300,
    tracks_per_day=2034.0,
    traffic_counted=True,
    tracks_seen=14_310,
    default=CameraThresholds(camera="", full=0.412, small=0.37),
    in_use=IN_USE,
    rows=(IN_USE,),
)


def test_unconfirmed_warnings_are_counted_with_the_strangers_and_confirmed_ones_apart() -> None:
    seen = SeenPassages(
        distances=(ROW,),
        days={"cam-01": 2.0},
        warnings=(WARNING, replace(WARNING, verdict="rejected"), replace(WARNING, verdict="confirmed")),
    )
    request = calibration_request(seen, TODAY)
    tracks = next(each for each in request.unconfirmed if each.rule == "track")
    assert (tracks.counts[50], tracks.counts[41], len(request.unconfirmed)) == (4, 2, 2)
    confirmed = next(each for each in request.confirmed if each.rule == "track")
    assert (sum(confirmed.counts), confirmed.counts[41]) == (1, 1)
    assert [(each.camera, each.per_day) for each in request.traffic] == [("cam-01", 3.0)]
    assert (request.warned, request.warned_days) == (2, 2.0)


def test_less_than_a_day_counts_no_traffic_and_no_drift() -> None:
    request = calibration_request(SeenPassages(distances=(ROW,), days={"cam-01": 0.9}, warnings=(WARNING,)), TODAY)
    assert (request.traffic, request.warned_days) == ((), 0.0)
    nothing = calibration_request(SeenPassages(days={}), TODAY)
    assert (nothing.unconfirmed, nothing.traffic, nothing.warned_days) == ((), (), 0.0)


def test_old_warnings_are_no_drift() -> None:
    old = replace(WARNING, day=date(2026, 11, 10))
    assert calibration_request(SeenPassages(days={"cam-01": 20.0}, warnings=(old,)), TODAY).warned == 0


@pytest.mark.parametrize(
    ("value", "figure"), [(1.94, 2), (14.6, 10), (0.0123, 0.01), (0.96, 1), (9.6, 10), (0, 0), (math.inf, math.inf)]
)
def test_figures_have_one_digit(value: float, figure: float) -> None:
    assert one_figure(value) == figure


def test_a_rate_is_never_nothing() -> None:
    assert told_rate(0.0) == told_rate(1e-9) == 0.03
    rare = told(replace(REPLY, in_use=replace(IN_USE, per_day=1e-9)))["in_use"]
    assert rare["fewer_than_one_a_month"]
    assert rare["false_warnings_per_day"] > 0


def test_the_line_names_list_traffic_interval_misses_and_basis() -> None:
    line = told_in_words(REPLY)
    for part in ("120 people", "about 2000 unknown", "about 2 false", "at most 4", "1 in 100", "14310 faces seen here"):
        assert part in line
    assert "Factory estimate" in told_in_words(replace(REPLY, in_use=replace(IN_USE, from_site=False)))
    assert "set by hand" in told_in_words(replace(REPLY, configured=True))
    assert "about 300 times rarer than anything counted" in told_in_words(
        replace(REPLY, in_use=replace(IN_USE, decades=2.4))
    )
    assert "fewer than 1 false warning a month" in told_in_words(replace(REPLY, in_use=replace(IN_USE, per_day=0.01)))
    assert "Nobody" in told_in_words(replace(REPLY, people=0))


def test_the_answer_is_json_and_says_where_it_is_from() -> None:
    answer = json.loads(json.dumps(told(REPLY)))
    assert (answer["basis"], answer["estimate"], answer["passages_per_day"]) == ("site", "", 2000)
    assert answer["in_use"]["small_face_threshold"] == 0.37
    assert told(replace(REPLY, configured=True))["basis"] == "configured"
    assert told(replace(REPLY, default=None, in_use=None))["in_use"] is None


def test_the_curve_is_a_picture_whatever_the_points() -> None:
    curves = [DetCurve("<shipped>", ((0.0, 1.0, 0.3), (1e-4, 0.01, 0.42), (1.0, 0.0, 0.6))), DetCurve("empty", ())]
    drawn = draw_det(curves, (5e-4, 0.012, 0.412), "100 people & more")
    root = ET.fromstring(drawn)  # noqa: S314  # our own
    assert root.tag.endswith("svg")
    assert "&lt;shipped&gt;" in drawn
    assert "nan" not in drawn
    assert len(root.findall(".//{*}polyline")) == 2
