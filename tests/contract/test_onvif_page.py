"""docs/onvif.md says what the items, quirks, states and topics are; every item that it calls tested has a test."""

import importlib.util
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "fixtures" / "onvif_page.py"


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("onvif_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_is_what_the_items_give() -> None:
    made = _script()
    page = made.PAGE.read_text("utf-8")

    assert page == made.page_with(page), "docs/onvif.md is old. Run: python fixtures/onvif_page.py"


def test_every_item_has_a_test_that_bears_its_number() -> None:
    tests = _script().numbered_tests()

    assert sorted(tests) == list(range(1, 43))
