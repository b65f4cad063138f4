"""The table in docs/devices.md is the one that the fixtures give."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from harness.dialects import FIXTURES

from gateway.alarms.dialects import DIALECTS

SCRIPT = Path(__file__).parents[2] / "fixtures" / "device_table.py"


@pytest.fixture
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("device_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_table_is_the_fixtures_own(made: ModuleType) -> None:
    page = made.PAGE.read_text("utf-8")
    assert page == made.page_with(page), "docs/devices.md is old. Run: python fixtures/device_table.py"
    assert "| Shelly Button 1" in page


@pytest.mark.parametrize("dialect", sorted(DIALECTS.keys() - {"onvif"}))
def test_every_dialect_has_a_device_with_its_messages_and_its_row(made: ModuleType, dialect: str) -> None:
    """A camera's contact has no message of its own: its fixtures are those of docs/onvif.md."""
    entries = {path.parent: json.loads(path.read_text("utf-8"))["entry"] for path in FIXTURES.glob("*/*/device.json")}
    folders = [folder for folder, entry in entries.items() if entry["dialect"] == dialect]
    assert any(len(list(folder.glob("*.json"))) > 1 for folder in folders)
    rows = [line for line in made.PAGE.read_text("utf-8").splitlines() if f"| `{dialect}` |" in line]
    assert len([each for each in rows if "press" in each]) >= len(folders)


@pytest.mark.parametrize("lacks", ["BEGIN", "END"])
def test_a_page_without_a_place_for_the_table_is_left_as_it_is(made: ModuleType, lacks: str) -> None:
    page = f"head\n{made.BEGIN}\n{made.END}\ntail\n".replace(getattr(made, lacks), "")
    with pytest.raises(ValueError, match="lacks the line <!-- table"):
        made.page_with(page)
