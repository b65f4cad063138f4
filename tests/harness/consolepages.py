"""The console on a phone with one incident that the test makes up, told as the interface tells it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

CONSOLE = Path(__file__).parents[2] / "gateway" / "console"
CAMERA = {
    "id": "cam-01",
    "name": "东门",
    "place": "东门",
    "watch_faces": True,
    "status": {
        "state": "live",
        "width": 1920,
        "height": 1080,
        "looks_per_second": 4.0,
        "decision_age_p95_ms": 210,
        "frames_seen": 1234567,
        "frames_looked": 123456,
        "frames_skipped": 12345,
        "frames_rested": 1234,
        "worker": "video-01",
        "detect_ms": 12.3,
        "decode_ms": 3.4,
        "embed_ms": 8.9,
        "description": {
            "manufacturer": "Example",
            "model": "C-200",
            "firmware": "5.7.1",
            "profiles": [
                {"name": "main", "width": 1920, "height": 1080, "codec": "H265"},
                {"name": "sub", "width": 640, "height": 360, "codec": "H264"},
            ],
            "choice": "sub (640x360 H264) is looked at",
        },
    },
}


def face_warning(**more: Any) -> dict[str, Any]:
    """A face warning as GET /incidents/{id} tells it."""
    picture = {"camera": "cam-01", "created": "2026-11-26T15:00:00Z"}
    seen = {"first_seen": "2026-11-26T15:00:01Z", "last_seen": "2026-11-26T15:00:07Z"}
    missing = [{}, {"late_seconds": 8.4}, {"late_seconds": 0.0, "lost_seconds": 3.0}]
    clips = [
        {
            "id": f"clip{minute}",
            "kind": "clip",
            "camera": "cam-01",
            "created": f"2026-11-26T15:0{minute}:00Z",
            "clip": {"state": "whole", "seconds": 12.0, "size": 1, "others": False, **missing[minute]},
        }
        for minute in range(3)
    ]
    match = {"person": "p1", "name": "张三", "category": "wanted", "photos": ["ph1"], "distance": 0.3, "threshold": 0.4}
    return {
        "id": "face1",
        "kind": "campus.face.matched",
        "state": "raised",
        "severity": "high",
        "place": "东门",
        "count": 1,
        "opened": "2026-11-26T15:00:00Z",
        "updated": "2026-11-26T15:00:00Z",
        "timeline": [],
        "cameras": [],
        "procedure": {"id": "p", "title": "预案", "steps": [{"step": "1", "text": "呼叫", "done": None}]},
        "evidence": [
            {**picture, **seen, "id": "crop", "kind": "crop"},
            {**picture, "id": "scene", "kind": "scene"},
            *clips,
        ],
        "match": match | {"looks": 3, "face_height": 90, "quality": 0.8},
        **more,
    }


@contextmanager
def shown_incident(page: Page, incident: dict[str, Any], language: str = "zh-CN") -> Iterator[Page]:
    """The console of the same guard on a phone, with this incident alone."""
    assert page.context.browser is not None
    context = page.context.browser.new_context(
        locale=language, viewport={"width": 390, "height": 844}, storage_state=page.context.storage_state()
    )
    picture = (CONSOLE / "icon.svg").read_text("utf-8")
    context.route("**/api/v1/incidents?*", lambda route: route.fulfill(json={"items": [incident], "next": None}))
    context.route("**/api/v1/incidents/face1", lambda route: route.fulfill(json=incident))
    for address in ("**/api/v1/evidence/**", "**/photos/ph1"):
        context.route(address, lambda route: route.fulfill(body=picture, content_type="image/svg+xml"))
    opened = context.new_page()
    opened.goto(page.url)
    expect(opened.locator(".cards .card")).to_have_count(1)
    yield opened
    context.close()
