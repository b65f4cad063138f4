"""A clip out of ``/evidence`` in a real browser: it plays, its length is known, any moment of it can be sought."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.daemon import Daemon
from harness.press import Presser
from harness.tools import needs
from playwright.sync_api import Page, sync_playwright
from vision_bench import built

pytestmark = [needs("chromium"), pytest.mark.timeout(170)]
EXTRA = """
[evidence]
clip_before_seconds = 2
clip_after_seconds = 3
[[cameras]]
id = "cam-01"
url = "file://{scene}"
loop = true
[[devices]]
id = "btn-01"
place = "gate"
linked_cameras = ["cam-01"]
"""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
PLAYS = """
async (address) => {
  const video = document.createElement("video");
  const come = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
  });
  const ready = come("canplay");
  video.muted = true;
  video.src = address;
  document.body.append(video);
  await ready;
  const found = { width: video.videoWidth, height: video.videoHeight, length: video.duration, sought: [] };
  for (const part of [0.8, 0.2, 0.5]) {
    const there = come("seeked");
    video.currentTime = part * video.duration;
    await there;
    found.sought.push(video.currentTime / video.duration, video.readyState);
  }
  const moving = come("timeupdate");
  await video.play();
  await moving;
  return found;
}
"""


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or "", args=ARGUMENTS)
        yield browser.new_page()
        browser.close()


def whole_clip(client: httpx.Client, end: float) -> dict[str, Any]:
    while time.monotonic() < end:
        for incident in client.get("/incidents").json()["items"]:
            for each in client.get(f"/incidents/{incident['id']}").json()["evidence"]:
                if each.get("clip", {}).get("state", "recording") != "recording":
                    return dict(each)
        time.sleep(0.2)
    raise AssertionError("no clip came")


def past_seconds(client: httpx.Client) -> None:
    """Wait until the ring holds what a clip of before needs."""
    end = time.monotonic() + 60
    while client.get("/cameras/cam-01").json()["status"]["state"] != "live":
        assert time.monotonic() < end, "the stream never came"
        time.sleep(0.1)
    time.sleep(3)


def test_a_clip_plays_in_a_browser_and_any_moment_can_be_sought(tmp_path: Path, page: Page) -> None:
    daemon = Daemon(tmp_path, extra=EXTRA.format(scene=built("gate-640x360.mp4")))
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            past_seconds(client)
            with Presser(daemon.mqtt_port) as button:
                button.press_and_wait("p-1")
            clip = whole_clip(client, time.monotonic() + 60)
            cookies = [{"name": each.name, "value": each.value or "", "url": daemon.url} for each in client.cookies.jar]
            page.context.add_cookies(cookies)  # type: ignore[arg-type]  # its own kind of dict
            page.goto(daemon.url)
            found = page.evaluate(PLAYS, f"/api/v1/evidence/{clip['id']}")
    assert clip["clip"]["state"] == "whole"
    assert (found["width"], found["height"]) == (640, 360)
    assert found["length"] == pytest.approx(clip["clip"]["seconds"], abs=0.1)
    assert found["sought"][::2] == pytest.approx([0.8, 0.2, 0.5], abs=0.02)
    assert all(state >= 2 for state in found["sought"][1::2]), "each moment has its picture"
