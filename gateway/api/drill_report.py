"""The report of a drill as a table for people and spreadsheets, in both languages."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.incidents import Drill

_HEADING = (
    "日期 date",
    "时间 time",
    "按钮 button",
    "名称 name",
    "位置 place",
    "性质 what",
    "接警 acknowledged (s)",
    "接警人 by",
    "派人 dispatched (s)",
    "派人者 by",
    "处置完毕 resolved (s)",
    "处置人 by",
)
_STEPS = ("acknowledged", "dispatched", "resolved")
_WITH_THE_DRILL = "随演练结束 with the drill"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(drill: Drill, times: Sequence[Mapping[str, Any]], site: str) -> str:
    """The report of a drill as CSV (RFC 4180): what it was, and a line for each press; begins with a byte order mark.

    Args:
        drill: which.
        times: as `DrillDesk.times` gives them.
        site: where.
    """
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["演练报告 Drill report", *map(_cell, (site, drill.note))])
    lines.writerow(["开始 started", _time(drill.started), "宣布人 by", _cell(drill.actor)])
    lines.writerow(["结束 ended", _time(drill.ended) if drill.ended else "–", "原因 reason", _cell(drill.reason)])
    lines.writerow([])
    lines.writerow(_HEADING)
    lines.writerows(_line(each) for each in times)
    return "\ufeff" + out.getvalue()


def _line(row: Mapping[str, Any]) -> list[str]:
    day, _, time = _time(row["opened"]).partition(" ")
    what = "演练 drill" if row["drill"] else "真实 real"
    steps = [cell for step in _STEPS for cell in _step(row[step])]
    return [day, time, *(_cell(row[name]) for name in ("device", "name", "place")), what, *steps]


def _step(step: Mapping[str, Any] | None) -> tuple[str, str]:
    return (f"{step['seconds']:.1f}", _cell(step["by"]) or _WITH_THE_DRILL) if step is not None else ("", "")


def _cell(text: str) -> str:
    """A spreadsheet must not take a name for a formula (CWE-1236)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
