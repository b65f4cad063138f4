"""A camera whose own recording stopped, as a school meets it: the daemon, its devices child, a camera over ONVIF."""

from pathlib import Path

import pytest
from harness.camera_process import SECRET, camera, told, until
from harness.daemon import Daemon

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
