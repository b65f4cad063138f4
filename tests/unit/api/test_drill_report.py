"""The report of a drill as a table: with its date, the buttons' names, and no cell that is a formula."""

import csv
import io
from datetime import UTC, datetime

from gateway.api.drill_report import csv_of
from gateway.incidents import Drill

START = datetime(2026, 11, 27, 7, 33, tzinfo=UTC)
DRILL = Drill(id="d", actor="chief", started=START, until=START, note="fire", ended=START, reason="ended by chief")
ROW = {"device": "btn-1", "name": "东门岗亭", "place": "=1+1", "opened": START, "drill": True, "dispatched": None}


def test_a_press_has_its_date_its_button_and_who_did_what() -> None:
    row = ROW | {"acknowledged": {"seconds": 4.0, "by": "wang"}, "resolved": {"seconds": 9.25, "by": ""}}
    text = csv_of(DRILL, [row], "east")
    assert text.startswith("\ufeff")
    head, started, _ended, _empty, heading, line = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert (head[1:], started[3]) == (["east", "fire"], "chief")
    day, time, *told = line
    assert (f"{day} {time}", len(line)) == (START.astimezone().strftime("%Y-%m-%d %H:%M:%S"), len(heading))
    steps = ["4.0", "wang", "", "", "9.2", "随演练结束 with the drill"]
    assert told == ["btn-1", "东门岗亭", "'=1+1", "演练 drill", *steps]
