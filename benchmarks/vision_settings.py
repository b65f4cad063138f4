"""Says which build was measured, and with which settings: figures of two builds are not to be set side by side."""

import hashlib
from pathlib import Path
from typing import Any

from gateway.settings import MatchingSettings, VisionSettings
from gateway.vision.thresholds import ThresholdBook

_GATEWAY = Path(__file__).resolve().parents[1] / "gateway"
_DIGITS = 12
_PEOPLE = 3


def build() -> str:
    """The first digits of the SHA-256 over the gateway's own code and tables."""
    total = hashlib.sha256()
    for path in sorted(each for kind in ("*.py", "*.json") for each in _GATEWAY.rglob(kind)):
        total.update(f"{path.relative_to(_GATEWAY)}\n".encode() + path.read_bytes())
    return total.hexdigest()[:_DIGITS]


def settings() -> dict[str, Any]:
    """What decides what is recognised: as shipped, for the three people of the fixtures."""
    matching, vision = MatchingSettings(), VisionSettings()
    thresholds = ThresholdBook(matching).of("cam-01", _PEOPLE)
    return {
        "threshold": round(thresholds.full, 3),
        "threshold_below_40_px": round(thresholds.small, 3),
        "minimum_looks": matching.minimum_looks,
        "precision": matching.precision,
        "detector_width": vision.detector_width,
        "cooldown_seconds": 0,
    }
