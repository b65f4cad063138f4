"""What an incident tells of the threshold that its face warning passed."""

from datetime import UTC, datetime

import pytest

from gateway.api.routes.incidents import _expected
from gateway.events import FaceMatched, Severity


def warning(per_day: float | None, basis: str) -> FaceMatched:
    return FaceMatched(
        id="e1",
        source="/site/east/camera/cam-01",
        subject="p1",
        time=datetime(2026, 11, 26, tzinfo=UTC),
        severity=Severity.HIGH,
        camera="cam-01",
        person="p1",
        distance=0.41,
        threshold=0.43,
        looks=6,
        face_height=70,
        quality=0.8,
        model="net",
        detector="yunet",
        passage="1",
        false_warnings_per_day=per_day,
        threshold_basis=basis,
    )


@pytest.mark.parametrize(
    ("per_day", "figure", "rare"), [(0.94, 0.9, False), (12.4, 10.0, False), (0.001, 0.03, True), (1 / 30, 0.03, False)]
)
def test_what_was_expected_is_told_in_one_figure_and_never_as_nothing(
    per_day: float, figure: float, rare: bool
) -> None:
    assert _expected(warning(per_day, "site")) == {
        "false_warnings_per_day": figure,
        "fewer_than_one_a_month": rare,
        "basis": "site",
    }


def test_nothing_is_told_where_nobody_had_said() -> None:
    assert _expected(warning(None, "")) is None
