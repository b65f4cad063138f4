"""Clips as their users meet them: of a match and of a press, in parts, sealed at rest, playable whatever ended them."""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from harness.daemon import Daemon
from harness.press import Presser
from harness.watching import person, upload, with_models
from vision_bench import built

EVIDENCE = "[evidence]\nclip_before_seconds = 2\nclip_after_seconds = {after}\n"
CAMERA = '[[cameras]]\nid = "{id}"\nurl = "file://{scene}"\nwatch_faces = {faces}\nloop = true\n'
LINKED = '[[devices]]\nid = "btn-01"\nplace = "gate"\nlinked_cameras = ["cam-01"]\n'
pytestmark = pytest.mark.timeout(170)


def camera(scene: str, *, faces: bool = False, identity: str = "cam-01") -> str:
    return CAMERA.format(id=identity, scene=built(scene), faces=str(faces).lower())


@contextmanager
def signed_in(daemon: Daemon) -> Iterator[httpx.Client]:
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            yield client


def until(found: Callable[[], Any], what: str, seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.1)
    return value


def clips(client: httpx.Client) -> list[dict[str, Any]]:
    return [
        each
        for incident in client.get("/incidents").json()["items"]
        for each in client.get(f"/incidents/{incident['id']}").json()["evidence"]
        if "clip" in each
    ]


def ended(client: httpx.Client) -> list[dict[str, Any]]:
    return [each for each in clips(client) if each["clip"]["state"] != "recording"]


def under_way(client: httpx.Client) -> list[dict[str, Any]]:
    return [each for each in clips(client) if each["clip"]["state"] == "recording" and each["clip"]["seconds"] > 1]


def live(client: httpx.Client) -> bool:
    return all(each["status"]["state"] == "live" for each in client.get("/cameras").json()["items"])


def played(mp4: bytes) -> tuple[float, int]:
    """Seconds and pictures: each packet of the clip is one, from the first to the last."""
    with av.open(io.BytesIO(mp4), "r") as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    with av.open(io.BytesIO(mp4), "r") as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert packets == len(times), "the last packet is a picture, too"
    return times[-1] - times[0], len(times)


def press(daemon: Daemon, identity: str = "p-1") -> None:
    with Presser(daemon.mqtt_port) as button:
        button.press_and_wait(identity)


def test_a_match_has_a_clip_that_is_read_in_parts_and_goes_with_its_person(tmp_path: Path) -> None:
    evidence = "[evidence]\nclip_before_seconds = 5\nclip_after_seconds = 3\n"
    extra = evidence + "[matching]\ncooldown_seconds = 600\n" + camera("gate-640x360.mp4", faces=True)
    daemon = with_models(Daemon(tmp_path, extra=extra))
    with signed_in(daemon) as client:
        identity = client.post("/watchlist/people", json=person()).json()["id"]
        assert upload(client, identity, built("portraits/obama.jpg").read_bytes()).status_code == 201
        found = until(lambda: ended(client), "a clip", 90)[0]
        assert found["clip"]["state"] == "whole"
        assert found["clip"]["others"], "somebody on no list passes less than five seconds before"
        seen = until(lambda: seen_of_match(client), "the end of the passage")
        assert 1 < seen < 6
        whole = client.get(f"/evidence/{found['id']}")
        assert whole.status_code == 200
        assert whole.headers["content-type"] == "video/mp4"
        assert len(whole.content) == found["clip"]["size"]
        seconds, pictures = played(whole.content)
        assert 7 < seconds < 12
        assert pictures > 20 * seconds
        check_ranges(client, found["id"], whole.content)
        assert b"ftyp" in whole.content[:16]
        assert b"ftyp" not in (daemon.state / "evidence" / found["id"]).read_bytes()
        assert client.delete(f"/watchlist/people/{identity}").json()["removed"]
        assert client.get(f"/evidence/{found['id']}").status_code == 404
        assert not (daemon.state / "evidence" / found["id"]).exists()


def seen_of_match(client: httpx.Client) -> float:
    """For how many seconds who matched was seen; 0 while that is not known."""
    (incident,) = client.get("/incidents").json()["items"]
    evidence = client.get(f"/incidents/{incident['id']}").json()["evidence"]
    times = [(each["first_seen"], each["last_seen"]) for each in evidence if "last_seen" in each]
    moments = [datetime.fromisoformat(each) for each in times[0]] if times else []
    return (moments[1] - moments[0]).total_seconds() if moments else 0.0


def check_ranges(client: httpx.Client, clip: str, whole: bytes) -> None:
    size = len(whole)
    for asked, part in {
        "bytes=0-": whole,
        "bytes=0-99": whole[:100],
        f"bytes={size - 7}-{size + 50}": whole[-7:],
        "bytes=300000-700000": whole[300000:700001],
        "bytes=-10": whole[-10:],
    }.items():
        answer = client.get(f"/evidence/{clip}", headers={"Range": asked})
        assert answer.status_code == 206, asked
        assert answer.content == part
        assert answer.headers["content-range"].endswith(f"/{size}")
    for asked in ("bytes=5-2", "bytes=0-1,5-9", "lines=1-2", "bytes=-", "bytes=x-"):
        answer = client.get(f"/evidence/{clip}", headers={"Range": asked})
        assert (answer.status_code, len(answer.content)) == (200, size), asked
    for asked in (f"bytes={size}-", "bytes=-0"):
        answer = client.get(f"/evidence/{clip}", headers={"Range": asked})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{size}"


def test_a_press_has_clips_and_the_one_that_a_power_cut_ends_plays_to_its_last_piece(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, extra=EVIDENCE.format(after=30) + camera("gate-640x360.mp4") + LINKED)
    with signed_in(daemon) as client:
        until(lambda: live(client), "the stream")
        press(daemon)
        begun = until(lambda: under_way(client), "a clip that grows")[0]
        daemon.kill()
    with daemon, daemon.client() as client:
        after = until(lambda: ended(client), "the end of the clip")[0]
        assert after["id"] == begun["id"]
        assert after["clip"]["state"] == "cut_short"
        assert after["clip"]["seconds"] >= begun["clip"]["seconds"] - 1.1
        seconds, pictures = played(client.get(f"/evidence/{after['id']}").content)
        assert seconds == pytest.approx(after["clip"]["seconds"], abs=0.1)
        assert pictures > 20 * seconds


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_the_clip_of_a_child_that_is_killed_plays_to_its_last_packet(tmp_path: Path, kills: int) -> None:
    daemon = Daemon(tmp_path, extra=EVIDENCE.format(after=60) + camera("gate-640x360.mp4") + LINKED)
    with signed_in(daemon) as client:
        for number in range(kills):
            until(lambda: live(client), "the stream", 60)
            press(daemon, f"p-{number}")
            until(lambda: under_way(client), "a clip that grows")
            kill_video_child(daemon)
            until_ended(client, number + 1)
        found = ended(client)
        assert len(found) == kills
        for each in found:
            assert each["clip"]["state"] == "cut_short"
            seconds, pictures = played(client.get(f"/evidence/{each['id']}").content)
            assert seconds == pytest.approx(each["clip"]["seconds"], abs=0.1)
            assert pictures > 20 * seconds


def until_ended(client: httpx.Client, count: int) -> None:
    until(lambda: len(ended(client)) == count, f"the end of clip {count}")


def kill_video_child(daemon: Daemon) -> None:
    children = [pid for pid, command in daemon.children().items() if "video" in command]
    assert children
    for child in children:
        os.kill(child, signal.SIGKILL)
