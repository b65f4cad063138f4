"""Things are called by their names, and by their ids while nothing better is known."""

import re
from typing import Any

import pytest
from harness.tools import needs
from playwright.sync_api import Page

pytestmark = needs("chromium")
NAMED = [{"id": "cam-01", "name": "东门"}]
CLIP: dict[str, Any] = {
    "id": "c1",
    "camera": "cam-01",
    "created": "2026-11-26T15:00:00Z",
    "clip": {"state": "whole", "seconds": 12.0, "size": 1, "others": False},
}


def shown(page: Page, cameras: list[dict[str, Any]]) -> dict[str, str]:
    """What is written below the pictures of a press with one linked camera and one clip, the cameras known at last."""
    return dict(
        page.evaluate(
            """async ([cameras, clip]) => {
              const { loadLanguage } = await import('/js/i18n.js');
              await loadLanguage('zh-CN');
              const { Pictures } = await import('/js/views/pictures.js');
              const pictures = new Pictures();
              const incident = { id: 'i1', kind: 'campus.button.pressed' };
              const detail = { evidence: [{ kind: 'clip', ...clip }], cameras: ['cam-01'] };
              pictures.update(incident, detail, []);
              pictures.update(incident, detail, cameras);
              return {
                picture: pictures.scenes.querySelector('figcaption').textContent,
                alternative: pictures.scenes.querySelector('img').alt,
                clip: pictures.clips.querySelector('summary').textContent,
                video: pictures.clips.querySelector('video').getAttribute('aria-label'),
              };
            }""",
            [cameras, CLIP],
        )
    )


@pytest.mark.parametrize(("cameras", "name"), [(NAMED, "东门"), ([{"id": "cam-01", "name": ""}], "cam-01")])
def test_pictures_and_clips_call_the_camera_by_its_name(bare: Page, cameras: list[dict[str, Any]], name: str) -> None:
    told = shown(bare, cameras)
    assert told["picture"] == told["alternative"] == f"摄像机 {name}"
    assert f"{name} 录像" in told["clip"]
    assert f"{name} 录像" in told["video"]
    if name != "cam-01":
        assert "cam-01" not in "".join(told.values())


@pytest.mark.parametrize(
    ("codec", "playable"), [("hvc1.1.6.L93.B0", True), ("hvc1.1.6.L93.B0", False), ("avc1.64001F", True), ("", False)]
)
def test_a_clip_that_the_browser_cannot_play_names_its_codec_and_is_given_as_a_file(
    bare: Page, codec: str, playable: bool
) -> None:
    told = bare.evaluate(
        """async ([clip, playable]) => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage('zh-CN');
          HTMLMediaElement.prototype.canPlayType = () => (playable ? 'probably' : '');
          const { Pictures } = await import('/js/views/pictures.js');
          const pictures = new Pictures();
          const detail = { evidence: [{ kind: 'clip', ...clip }], cameras: [] };
          pictures.update({ id: 'i1', kind: 'campus.button.pressed' }, detail, []);
          const shown = pictures.clips.querySelector('.clip');
          const link = shown.querySelector('a[download]');
          const [text, href] = [link?.parentElement.textContent, link?.getAttribute('href')];
          const first = { video: !!shown.querySelector('video'), text, href, saved: link?.download };
          shown.querySelector('video')?.dispatchEvent(new Event('error'));
          const failed = { missing: shown.classList.contains('missing'), file: !!shown.querySelector('a[download]') };
          return { first, failed };
        }""",
        [{**CLIP, "clip": {**CLIP["clip"], "codec": codec}}, playable],
    )
    plays = playable or not codec
    assert told["first"]["video"] is plays
    if not plays:
        assert "H.265" in told["first"]["text"]
        assert told["first"]["href"].endswith("/evidence/c1")
        assert re.fullmatch(r"\d.*-cam-01\.mp4", told["first"]["saved"]), "told apart from others in a folder"
    # What says that it plays and then does not is given as a file, too, if it is H.265; else it is not there any more.
    assert told["failed"] == {"missing": not codec.startswith("hvc1"), "file": codec.startswith("hvc1")}


@pytest.mark.parametrize(("name", "told"), [("安保办公室", "安保办公室"), ("", "office")])
def test_a_round_trip_and_a_drill_call_a_destination_by_its_name(bare: Page, name: str, told: str) -> None:
    words = bare.evaluate(
        """async (name) => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage('zh-CN');
          const { Drill } = await import('/js/views/drill.js');
          const { resultText } = await import('/js/views/protection.js');
          const destinations = [{ id: 'office', name }];
          const view = Object.assign(Object.create(Drill.prototype), { app: { state: { destinations } } });
          const passed = { pressed: true, destinations: [{ destination: 'office', state: 'accepted' }] };
          const stopped = { pressed: true, destinations: [{ destination: 'office', state: 'waiting' }] };
          const results = [passed, stopped].map((each) => resultText({ id: 'btn-01' }, each, destinations));
          return [view.takers({ office: 'marked' }), ...results];
        }""",
        name,
    )
    for each in words:
        assert told in each
        assert name == "" or "office" not in each


OWN = {
    "whole": ({"state": "whole", "seconds": 30.2, "clock_offset_seconds": 90.4}, "own recording", "90 s ahead", 1),
    "behind": ({"state": "cut_short", "seconds": 9, "clock_offset_seconds": -5.0}, "incomplete", "5 s behind", 1),
    "right": ({"state": "whole", "seconds": 30, "clock_offset_seconds": 0.2}, "own recording", "is right", 1),
    "missing": ({"state": "missing", "reason": "not_recorded"}, "not fetched", "nothing of that time", 0),
}


@pytest.mark.parametrize(("clip", "kind", "more", "videos"), OWN.values(), ids=OWN)
def test_a_cameras_own_recording_is_told_as_such_with_its_clock_or_why_there_is_none(
    bare: Page, clip: dict[str, Any], kind: str, more: str, videos: int
) -> None:
    text, found = bare.evaluate(
        """async (clip) => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage('en');
          const { Pictures } = await import('/js/views/pictures.js');
          const pictures = new Pictures();
          const own = { id: 'e1', kind: 'camera_clip', camera: 'cam-01', created: '2026-11-26T15:00:00Z', clip };
          pictures.update({ id: 'i1', kind: 'campus.button.pressed' }, { evidence: [own] }, []);
          return [pictures.clips.textContent, pictures.clips.querySelectorAll('video').length];
        }""",
        {"others": False, "late_seconds": 0, "lost_seconds": 0} | clip,
    )
    assert kind in text
    assert more in text
    assert found == videos
