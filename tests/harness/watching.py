"""A daemon that watches: its models, people for its list, and their photos."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from harness.daemon import Daemon

YUNET = Path(__file__).parents[3] / "shared" / "models" / "yunet_n_dynamic.onnx"


def with_models(daemon: Daemon) -> Daemon:
    """Put the detector where the daemon looks for it."""
    models = daemon.state / "models"
    models.mkdir(parents=True)
    if YUNET.exists():
        shutil.copy(YUNET, models)
    return daemon


def person(**changes: Any) -> dict[str, Any]:
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    given = {"name": "张三", "category": "barred", "reason": "court order", "authority": "police", "valid_until": ends}
    return {key: value for key, value in (given | changes).items() if value is not None}


def upload(client: httpx.Client, identity: str, content: bytes) -> httpx.Response:
    """Add a photo, trying again while the gallery child still starts."""
    until = time.monotonic() + 40
    while True:
        answer = client.post(f"/watchlist/people/{identity}/photos", files={"photo": ("photo.jpg", content)})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until:
            return answer
        time.sleep(0.3)
