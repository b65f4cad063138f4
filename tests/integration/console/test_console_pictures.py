"""How large pictures stand in an incident."""

from pathlib import Path

import pytest
from harness.tools import needs
from playwright.sync_api import Page

pytestmark = needs("chromium")
STYLE = Path(__file__).parents[3] / "gateway" / "console" / "style.css"
WIDE = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='640' height='360'/>"


@pytest.mark.parametrize(("group", "sides"), [("pictures", 640 / 360), ("faces", 1.0)])
def test_a_live_picture_fills_its_box_and_a_face_keeps_its_square(bare: Page, group: str, sides: float) -> None:
    bare.set_viewport_size({"width": 600, "height": 900})
    bare.set_content(f'<div class="{group}"><figure><img src="{WIDE}"></figure></div>', wait_until="load")
    bare.add_style_tag(path=STYLE)
    box = bare.locator("img").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(sides, rel=0.02)
