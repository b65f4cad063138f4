"""Entries made by API as a user meets them: credentials stay unseen, and none is in the way of the next start."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
from harness.daemon import BUTTON, Daemon, problems
from harness.rawmqtt import RawClient

TOKEN_URL = "http://127.0.0.1:9/hook?token=GeheimTok7"
CAMERA_URL = "rtsp://10.255.255.1/live?user=admin&password=GeheimCam7"
TWICE = '\n[[devices]]\nid = "btn-09"\nname = "of the file"\n'


def holders(folder: Path, secret: str) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def check_config(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "check-config", "--config", str(daemon.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_credentials_in_addresses_are_refused_or_sealed_and_for_administrators_only(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.set_up_administrator()
        with daemon.client() as admin:
            refused = admin.post("/destinations", json={"id": "d", "url": "http://office:GeheimPw7@127.0.0.1:9/"})
            assert (refused.status_code, refused.json()["fault"]) == (422, "url_credentials")
            assert "GeheimPw7" not in refused.text
            assert admin.post("/destinations", json={"id": "d", "url": TOKEN_URL}).json()["url"] == TOKEN_URL
            assert admin.post("/cameras", json={"id": "c", "url": CAMERA_URL}).status_code == httpx.codes.CREATED
            token = admin.post("/tokens", json={"name": "viewer", "role": "viewer"}).json()["token"]
            for path in ("/destinations", "/cameras", "/cameras/c"):
                assert "Geheim" in admin.get(path).text
                seen = httpx.get(f"{daemon.url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, timeout=20)
                assert (seen.status_code, "Geheim" in seen.text) == (200, False)
                assert '/hook"' in seen.text or '/live"' in seen.text
            assert "Geheim" not in admin.get("/audit").text
        for secret in ("GeheimPw7", "GeheimTok7", "GeheimCam7"):
            assert holders(daemon.state, secret) == []
            assert not [line for line in daemon.log if secret in line]


def test_what_a_former_version_kept_open_is_sealed_or_left_out_and_stops_no_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as admin:
            for name in ("sealed", "left-out"):
                assert admin.post("/destinations", json={"id": name, "url": "http://127.0.0.1:9/hook"}).is_success
        assert daemon.stop() == 0
        with closing(sqlite3.connect(daemon.state / "state.db")) as connection, connection:
            for name, url in {"sealed": TOKEN_URL, "left-out": "http://office:GeheimPw7@127.0.0.1:9/"}.items():
                body = json.dumps({"id": name, "url": url})
                connection.execute("UPDATE entry SET body = ? WHERE id = ?", (body, name))
        daemon.start()
        with daemon.client() as admin:
            assert [each["url"] for each in admin.get("/destinations").json()["items"]] == [TOKEN_URL]
            (fault,) = daemon.events(admin, type="campus.gateway.fault")
            assert (fault["data"]["fault"], fault["data"]["figures"]["id"]) == ("entry_left_out", "left-out")
            assert admin.delete("/destinations/left-out").status_code == httpx.codes.NO_CONTENT
        assert daemon.stop() == 0
    for secret in ("GeheimPw7", "GeheimTok7"):
        assert holders(daemon.state, secret) == []
        assert not [line for line in daemon.log if secret in line]


def test_an_id_in_the_file_and_by_api_keeps_no_press_out(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as admin:
            made = {
                "devices": {},
                "cameras": {"url": "rtsp://10.255.255.1/"},
                "destinations": {"url": "http://127.0.0.1:9/"},
            }
            for register, entry in made.items():
                assert admin.post(f"/{register}", json={"id": "btn-09"} | entry).status_code == httpx.codes.CREATED
        daemon.extra = f"{BUTTON}{TWICE}"
        for register, entry in {each: made[each] for each in ("cameras", "destinations")}.items():
            daemon.extra += f'[[{register}]]\nid = "btn-09"\nurl = "{entry["url"]}file"\n'
        daemon.write_configuration()
        told = check_config(daemon)
        assert told.returncode == 2
        for register in made:
            assert f"{register}.btn-09: the same id was made by API, too" in told.stderr
        assert daemon.stop() == 0
        assert check_config(daemon).returncode == 2
        daemon.start()
        with RawClient(daemon.mqtt_port) as button:
            button.press("taken")
        with daemon.client() as admin:
            faults = daemon.events(admin, type="campus.gateway.fault")
            assert [each["data"]["fault"] for each in faults] == ["entry_in_both"] * 3
            assert all("DELETE" in each["data"]["detail"] for each in faults)
            assert admin.get("/devices/btn-09").json()["name"] == "of the file"
            for register in made:
                assert admin.delete(f"/{register}/btn-09").status_code == httpx.codes.NO_CONTENT
                assert admin.delete(f"/{register}/btn-09").status_code == httpx.codes.CONFLICT
        assert check_config(daemon).returncode == 0
    assert problems(daemon.log) == []
