"""What children are told at birth."""

from pathlib import Path

import pytest

from gateway.settings import MatchingSettings, VisionSettings
from gateway.workers import Outfit


def outfit_of(vision: VisionSettings) -> Outfit:
    return Outfit(
        site="west", vision=vision, matching=MatchingSettings(), models_directory=Path("/models"), people_key=b"key"
    )


@pytest.mark.parametrize(("nice", "listens_at"), [(10, 2), (19, 2), (2, 2), (0, 0)])
def test_who_listens_to_contacts_goes_before_who_looks_at_pictures(nice: int, listens_at: int) -> None:
    outfit = outfit_of(VisionSettings(nice=nice))
    assert outfit.hello("devices", "devices").vision.nice == listens_at
    assert outfit.hello("video", "video-1").vision.nice == nice
    assert outfit.hello("gallery", "gallery").vision.nice == nice


def test_the_key_to_people_goes_to_the_gallery_alone() -> None:
    outfit = outfit_of(VisionSettings())
    keys = {role: outfit.hello(role, role).people_key for role in ("gallery", "devices", "video")}
    assert keys == {"gallery": b"key", "devices": b"", "video": b""}
