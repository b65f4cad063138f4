"""A camera's own recording as a school meets it: told that it stopped, and fetched where our own clip has a gap."""

import io
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from harness.camera_process import SECRET, camera, told, until
from harness.daemon import Daemon
from harness.press import Presser

ENTRY = """
[[cameras]]
id = "{id}"
url = "{url}"
username = "gate"
password_file = "{secret}"
"""
pytestmark = pytest.mark.timeout(120)


def test_a_recording_that_stopped_is_a_fault_of_the_camera(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with camera(secret, "recording-stopped=20.5", "clock-off=7200") as ill, camera(secret, "own-recording") as well:
        entries = (ENTRY.format(id=name, url=each.url, secret=secret) for name, each in (("ill", ill), ("well", well)))
        daemon = Daemon(tmp_path / "d", extra="".join(entries))
        with daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                faults = until(
                    lambda: [
                        each
                        for each in told(daemon, client, "campus.camera.fault")
                        if each["data"]["state"].startswith("recording")
                    ],
                    "the gap",
                )
    (fault,) = faults
    assert fault["data"]["camera"] == "ill"
    assert fault["data"]["state"] == "recording_gap"
    assert fault["data"]["figures"]["minutes"] == 20
    assert "memory card" in fault["data"]["remedy"]
    assert SECRET not in "".join(daemon.log)


GAP = """
[vision]
read_timeout_seconds = 2
[evidence]
clip_before_seconds = 2
clip_after_seconds = 2
[[devices]]
id = "btn-01"
place = "gate"
linked_cameras = ["well", "plain"]
"""


def evidence(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """What there is of the cameras' own recordings, by camera."""
    return {
        each["camera"]: each
        for incident in client.get("/incidents").json()["items"]
        for each in client.get(f"/incidents/{incident['id']}").json()["evidence"]
        if each["kind"] == "camera_clip" and each["clip"]["state"] != "recording"
    }


def both(found: Any) -> Any:
    return found if len(found) == 2 else None


def length(mp4: bytes) -> float:
    """The time of the last picture that can be decoded, in seconds."""
    with av.open(io.BytesIO(mp4), "r") as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)][-1]


def test_what_our_clip_of_a_press_lacks_the_camera_has_recorded_or_the_incident_says_why_not(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with camera(secret, "own-recording", "clock-off=90", "stall=0.2") as well, camera(secret, "stall=0.2") as plain:
        cameras = (("well", well), ("plain", plain))
        entries = "".join(ENTRY.format(id=name, url=each.url, secret=secret) for name, each in cameras)
        daemon = Daemon(tmp_path / "d", extra=entries + GAP)
        with daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                until(lambda: both(told(daemon, client, "campus.camera.lost")), "the loss of the streams")
                with Presser(daemon.mqtt_port) as button:
                    button.press_and_wait("p-1")
                found = until(lambda: both(evidence(client)), "the cameras' own recordings")
                mp4 = client.get(f"/evidence/{found['well']['id']}").content
                assert client.get(f"/evidence/{found['plain']['id']}").status_code == 404
                assert SECRET not in "".join(daemon.log) + str(daemon.events(client)) + str(found)
            assert b"ftyp" not in (daemon.state / "evidence" / found["well"]["id"]).read_bytes()
    clip = found["well"]["clip"]
    assert (clip["state"], clip["others"], clip["size"]) == ("whole", True, len(mp4))
    assert clip["clock_offset_seconds"] == pytest.approx(90, abs=2)
    assert 3.8 < length(mp4) < 7
    missing = found["plain"]["clip"]
    assert (missing["state"], missing["reason"], missing["others"]) == ("missing", "no_recording", False)
