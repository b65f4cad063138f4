"""Posts: who is live with sound, which may show a silent press, and who may enrol one."""

import httpx
import pytest
from harness.daemon import Daemon

pytestmark = pytest.mark.timeout(170)


def test_a_post_is_seen_with_its_sound_and_its_mark_can_be_taken(safe: httpx.Client, client: httpx.Client) -> None:
    safe.post("/posts/heartbeat", json={"sound": True})
    body = client.get("/posts").json()
    (post,) = body["items"]
    assert (post["name"], post["live"]["user"], post["live"]["sound"], body["this"]) == (
        "Gate house",
        "chief",
        True,
        None,
    )
    assert "key" not in post
    assert safe.get("/situation").json()["sees_discreet"] is True
    assert client.patch(f"/posts/{post['id']}", json={"discreet_safe": False}).status_code == httpx.codes.OK
    assert safe.get("/situation").json()["sees_discreet"] is False
    assert client.patch(f"/posts/{post['id']}", json={"discreet_safe": True}).status_code == httpx.codes.OK


def test_only_an_administrator_at_a_browser_enrols(daemon: Daemon, client: httpx.Client) -> None:
    for role in ("guard", "admin"):
        token = client.post("/tokens", json={"name": f"try {role}", "role": role}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{daemon.url}/api/v1/posts", json={"name": "x"}, headers=headers)
        assert answer.status_code == (403 if role == "guard" else 422)
