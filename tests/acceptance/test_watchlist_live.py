"""The watch-list at work: refusals, a warning with its picture, removal that destroys, expiry also while away."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.daemon import BUTTON, Daemon
from harness.watching import person, upload, with_models

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "fixtures" / "build"
pytestmark = [
    pytest.mark.timeout(170),
    pytest.mark.skipif(not (BUILD / "gate-640x360.mp4").exists(), reason="the scenes are not made: make fixtures"),
]


def with_camera(folder: Path, scene: str, **options: Any) -> Daemon:
    camera = f'[[cameras]]\nid = "cam-01"\nplace = "gate"\nurl = "file://{BUILD / scene}"\nwatch_faces = true\n'
    return with_models(Daemon(folder, extra=f"{BUTTON}\n[matching]\ncooldown_seconds = 0\n{camera}", **options))


def wait_for_event(daemon: Daemon, client: httpx.Client, kind: str, seconds: float = 60) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while not (found := daemon.events(client, type=kind)):
        assert time.monotonic() < until, f"{kind} never came"
        time.sleep(0.3)
    return found[0]


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and "models" not in path.parts)


def test_a_listed_person_is_warned_of_and_forgotten_when_removed(tmp_path: Path) -> None:
    with with_camera(tmp_path, "gate-640x360.mp4") as daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            for missing in ("reason", "authority", "valid_until"):
                assert client.post("/watchlist/people", json=person(**{missing: None})).status_code == 422
            identity = client.post("/watchlist/people", json=person()).json()["id"]
            check_refusals(client, identity)
            answer = upload(client, identity, (BUILD / "portraits" / "obama.jpg").read_bytes())
            assert answer.status_code == 201, answer.text
            match = wait_for_event(daemon, client, "campus.face.matched")
            assert match["data"]["person"] == identity
            assert "张三" not in str(match)
            evidence = wait_for_evidence(client)
            picture = client.get(f"/evidence/{evidence}")
            assert picture.content.startswith(b"\xff\xd8")
            assert b"\xff\xd8\xff" not in (daemon.state / "evidence" / evidence).read_bytes()
            check_a_second_photo(client, identity)
            removed = client.delete(f"/watchlist/people/{identity}").json()
            assert removed["removed"]
            assert removed["applied"]
            assert client.get(f"/evidence/{evidence}").status_code == 404
            assert client.get(f"/watchlist/people/{identity}").status_code == 404
        assert "张三".encode() not in contents(daemon.state)
        assert not list((daemon.state / "evidence").iterdir())


def check_refusals(client: httpx.Client, identity: str) -> None:
    blank = (BUILD / "empty-640x360.mp4").read_bytes()[:1000]
    answer = upload(client, identity, b"this is a text file named .jpg")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_an_image")
    assert upload(client, identity, blank).json()["code"] == "not_an_image"
    two = upload(client, identity, (BUILD / "photos" / "two-people.jpg").read_bytes())
    assert (two.status_code, two.json()["code"]) == (422, "several_faces")
    assert two.headers["content-type"] == "application/problem+json"
    assert two.json()["remedy"]


def check_a_second_photo(client: httpx.Client, identity: str) -> None:
    """Of the same person it joins; of another one too, but with a warning."""
    same = upload(client, identity, (BUILD / "portraits" / "obama2.jpg").read_bytes())
    assert (same.status_code, same.json()["warnings"]) == (201, [])
    other = upload(client, identity, (BUILD / "portraits" / "biden.jpg").read_bytes())
    (warning,) = other.json()["warnings"]
    assert (other.status_code, warning["code"]) == (201, "photo_differs")
    assert warning["distance"] > warning["threshold"] > 0
    assert f"{warning['distance']}" in warning["detail"]
    shown = client.get(f"/watchlist/people/{identity}").json()["photos"]
    assert [each["warnings"] for each in shown] == [[], [], [warning]], "it stays marked"
    check_the_same_photo(client, identity)


def check_the_same_photo(client: httpx.Client, identity: str) -> None:
    for _ in range(2):
        twice = upload(client, identity, (BUILD / "portraits" / "obama2.jpg").read_bytes())
        assert (twice.status_code, twice.json()["code"]) == (422, "photo_twice")
        assert twice.json()["remedy"] == "Give another photo of this person."
    assert len(client.get(f"/watchlist/people/{identity}").json()["photos"]) == 3


def wait_for_evidence(client: httpx.Client) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for incident in client.get("/incidents").json()["items"]:
            for each in client.get(f"/incidents/{incident['id']}").json()["evidence"]:
                if each["kind"] != "clip":
                    return str(each["id"])
        time.sleep(0.2)
    raise AssertionError("no evidence came")


def test_an_expired_person_is_out_also_when_it_expired_while_the_gateway_was_away(tmp_path: Path) -> None:
    daemon = with_camera(tmp_path, "empty-640x360.mp4")
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            portrait = (BUILD / "portraits" / "obama.jpg").read_bytes()
            first = enrol(client, portrait, seconds=7200)
            assert wait_for_templates(daemon, 1)
            ends_in(client, first, seconds=2)
            assert wait_for_templates(daemon, 0), "an expired person is still in the gallery"
            until = time.monotonic() + 20  # the list is changed first, and then it is told
            while expired_count(daemon, client) < 1 and time.monotonic() < until:
                time.sleep(0.1)
            changes = [event["data"] for event in daemon.events(client, type="campus.watchlist.changed")]
            assert [each["change"] for each in changes if each["person"] == first][-1] == "expired"
            second = enrol(client, (BUILD / "portraits" / "biden.jpg").read_bytes(), seconds=7200)
            ends_in(client, second, seconds=2)
        daemon.kill()
        time.sleep(2)
        daemon.start()
        with daemon.client() as client:
            until = time.monotonic() + 20
            while expired_count(daemon, client) < 2 and time.monotonic() < until:
                time.sleep(0.2)
            assert expired_count(daemon, client) == 2
        assert readiness(daemon)["watchlist"]["templates"] == 0


def expired_count(daemon: Daemon, client: httpx.Client) -> int:
    return sum(event["data"]["change"] == "expired" for event in daemon.events(client, type="campus.watchlist.changed"))


def enrol(client: httpx.Client, portrait: bytes, *, seconds: float) -> str:
    ends = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    identity = str(client.post("/watchlist/people", json=person(valid_until=ends)).json()["id"])
    assert upload(client, identity, portrait).status_code == 201
    return identity


def ends_in(client: httpx.Client, identity: str, *, seconds: float) -> None:
    ends = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    assert client.patch(f"/watchlist/people/{identity}", json={"valid_until": ends}).status_code == httpx.codes.OK


def wait_for_templates(daemon: Daemon, count: int) -> bool:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if readiness(daemon)["watchlist"]["templates"] == count:
            return True
        time.sleep(0.1)
    return False


def readiness(daemon: Daemon) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(f"{daemon.url}/readyz").json()
    return body


@pytest.mark.parametrize(
    "passages", [6, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1800)])], ids=["6", "100"]
)
def test_passers_by_who_are_on_no_list_leave_no_trace(tmp_path: Path, passages: int) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    environment = {"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home / ".cache")}
    daemon = with_camera(tmp_path / "gateway", "unlisted-640x360.mp4", environment=environment)
    with daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:
            enrol(client, (BUILD / "portraits" / "obama.jpg").read_bytes(), seconds=7200)
            until = time.monotonic() + 60 + 8 * passages
            while passages_seen(client) < passages and time.monotonic() < until:
                time.sleep(0.5)
            assert passages_seen(client) >= passages
            assert not daemon.events(client, type="campus.face.matched")
    written = {path for path in tmp_path.rglob("*") if path.is_file() and "models" not in path.parts}
    names = {path.name.split(".")[0] for path in written}
    assert names <= {"gateway", "journal", "state", "reserve", "running"}, sorted(map(str, written))
    assert b"\xff\xd8\xff" not in contents(tmp_path)
    assert not list(home.rglob("*"))
    assert not list(temporary.rglob("*"))


def passages_seen(client: httpx.Client) -> int:
    return int(client.get("/cameras/cam-01").json()["status"].get("passages", 0))
