"""Tables keep their columns also in Chinese, and JSON is one array."""

import json

import pytest

from gateway.cli.output import put_table

ROWS: list[dict[str, object]] = [{"name": "东门", "state": "ok"}, {"name": "west", "state": None}]


def test_columns_stand_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(ROWS, ["name", "state"], as_json=False)
    assert capsys.readouterr().out.splitlines() == ["name  state", "东门  ok", "west"]


def test_json_is_one_array(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(ROWS, ["name", "state"], as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS
