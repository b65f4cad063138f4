"""The acceptance items and quirks are one list: nothing without the other."""

from gateway.simulators.camera.acceptance import ITEMS
from gateway.simulators.camera.quirk_list import KNOWN


def test_the_items_are_numbered() -> None:
    assert [item.number for item in ITEMS] == list(range(1, 43))


def test_every_quirk_provokes_an_item_that_is_there() -> None:
    numbers = {item.number for item in ITEMS}

    assert all(quirk.items and set(quirk.items) <= numbers for quirk in KNOWN)
    assert len({quirk.name for quirk in KNOWN}) == len(KNOWN)


def test_only_what_needs_no_mistake_of_the_camera_is_without_quirk() -> None:
    assert [item.number for item in ITEMS if not item.quirks] == [14, 37, 39]
