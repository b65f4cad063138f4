"""When an answer to a change of the watch-list says that it has reached every camera."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.api.routes.watchlist import _applied
from gateway.workers import GalleryState


@pytest.mark.parametrize(
    ("built", "children", "done"),
    [
        (4, {"video-1": 4, "video-2": 4}, True),
        (4, {"video-1": 4, "video-2": 3}, False),
        (3, {"video-1": 3}, False),
        (3, {}, False),
        (4, {}, True),
    ],
)
def test_a_change_has_arrived_once_the_gallery_and_every_child_have_it(
    built: int, children: dict[str, int], done: bool
) -> None:
    parts: Any = SimpleNamespace(
        workers=SimpleNamespace(gallery=lambda: GalleryState(revision=built, wanted=4, applied=children))
    )
    assert _applied(parts, 4)["applied"] is done
