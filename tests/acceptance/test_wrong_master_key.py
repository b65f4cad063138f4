"""A gateway restored with another master key: it takes presses and says everywhere that the watch-list is dead."""

import base64
import os
from pathlib import Path

from harness.command import command
from harness.daemon import Daemon
from harness.press import Presser


def test_presses_are_taken_and_the_wrong_key_is_said(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            button = {"id": "btn-02", "name": "by API"}
            assert client.post("/devices", json=button).is_success
    key = tmp_path / "state.key"
    key.unlink()
    key.write_bytes(base64.b64encode(os.urandom(32)))
    key.chmod(0o400)
    with daemon:
        with Presser(daemon.mqtt_port) as presser:
            presser.press("pressed-all-the-same")
            presser.wait_all()
        with daemon.client() as client:
            (fault,) = daemon.events(client, type="campus.gateway.fault")
            assert [each["id"] for each in client.get("/devices").json()["items"]] == ["btn-01", "btn-02"]
        daemon.wait_for_log("button btn-01 was pressed (press)")
        status, doctor = (command(word, "--config", str(tmp_path)) for word in ("status", "doctor"))
    assert fault["data"]["fault"] == "wrong_master_key"
    assert fault["severity"] == "critical"
    for said in (fault["data"]["detail"], status.stdout, doctor.stdout):
        assert f"Put the key that belongs to this state to {key}" in said
    assert "button btn-01" in status.stdout
    assert status.returncode == 0, "presses are taken"
    assert doctor.returncode == 1
