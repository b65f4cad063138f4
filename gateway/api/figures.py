"""Error rates told no more exactly than they are known: one figure, and never nothing."""

import math
from typing import Any

from gateway.api.calibration import basis_of
from gateway.wire import CalibrationReply, CalibrationRow, CameraThresholds

_MONTH_DAYS = 30.0


def one_figure(value: float) -> float:
    """The value rounded to one significant figure; 0 stays 0."""
    if value <= 0 or not math.isfinite(value):
        return value
    return float(f"{value:.0e}")


def is_rarer_than_monthly(per_day: float) -> bool:
    """Whether a daily rate is told as "fewer than 1 a month": any figure would say too much."""
    return per_day * _MONTH_DAYS < 1


def told_rate(per_day: float) -> float:
    """A daily rate as it is told: one figure, and not below one a month."""
    return one_figure(max(per_day, 1 / _MONTH_DAYS))


def told_threshold(threshold: float) -> float:
    """A threshold to three places: finer ones differ in nothing that can be seen."""
    return round(threshold, 3)


def _both(each: CameraThresholds) -> dict[str, float]:
    return {"threshold": told_threshold(each.full), "small_face_threshold": told_threshold(each.small)}


def told_row(row: CalibrationRow) -> dict[str, Any]:
    """One threshold as it is told."""
    return {
        "threshold": told_threshold(row.threshold),
        "false_match_rate": one_figure(row.fmr),
        "false_positive_identification_rate": one_figure(row.fpir),
        "false_warnings_per_day": told_rate(row.per_day),
        "fewer_than_one_a_month": is_rarer_than_monthly(row.per_day),
        "at_least": one_figure(row.at_least),
        "at_most": told_rate(row.at_most),
        "missed": one_figure(row.fnmr),
        "basis": "site" if row.from_site else "factory",
        "extrapolated_decades": round(row.decades, 1),
    }


def told(reply: CalibrationReply, rule: str = "track") -> dict[str, Any]:
    """A calibration as the interface and the command tell it."""
    default, in_use = reply.default, reply.in_use
    cameras = [{"camera": c.camera} | _both(c) for c in reply.cameras]
    small = {"small_face_threshold": told_threshold(default.small)} if default is not None else {}
    return {
        "people": reply.people,
        "templates": reply.templates,
        "passages_per_day": one_or_whole(reply.tracks_per_day),
        "passages_counted": reply.traffic_counted,
        "faces_seen": reply.tracks_seen,
        "faces_missing": reply.tracks_missing,
        "basis": basis_of(reply),
        "estimate": "factory model" if in_use is None or not in_use.from_site else "",
        "in_use": (told_row(in_use) | small) if in_use is not None else None,
        "cameras": cameras,
        "thresholds": [told_row(row) for row in reply.rows if row.rule == rule],
        "model": reply.model,
        "list_revision": reply.revision,
    }


def one_or_whole(tracks: float) -> int:
    """Passages a day as two figures: they differ more than that from day to day."""
    return int(float(f"{tracks:.1e}"))
