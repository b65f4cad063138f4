"""The table in docs/devices.md is the one that the fixtures give."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "fixtures" / "device_table.py"


def test_the_published_table_is_the_fixtures_own() -> None:
    spec = importlib.util.spec_from_file_location("device_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = made.PAGE.read_text("utf-8")
    assert page == made.page_with(page), "docs/devices.md is old. Run: python fixtures/device_table.py"
    assert "| Shelly Button 1" in page
