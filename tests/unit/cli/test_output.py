"""Tables keep their columns also in Chinese, and JSON is one array."""

import json
from datetime import UTC, datetime

import pytest

from gateway.cli.output import put_table

ROWS: list[dict[str, object]] = [{"name": "东门", "state": "ok"}, {"name": "west", "state": None}]


def test_columns_stand_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(ROWS, ["name", "state"], as_json=False)
    assert capsys.readouterr().out.splitlines() == ["name  state", "东门  ok", "west"]


def test_json_is_one_array(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(ROWS, ["name", "state"], as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_moments_are_told_to_the_second_and_what_is_not_so_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"at": datetime(2026, 11, 26, 8, 0, 1, 123456, tzinfo=UTC), "disabled": False, "revoked": True}
    put_table([row], ["at", "disabled", "revoked"], as_json=False)
    assert capsys.readouterr().out.splitlines()[1].split() == ["2026-11-26", "08:00:01+00:00", "yes"]
