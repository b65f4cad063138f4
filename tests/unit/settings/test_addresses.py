"""What of an address is a credential: refused without repeating it, or kept from those who may not read it."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings import load_settings, public_part

SECRET = "Geheim7"
ENTRIES = {
    "destination": "[[destinations]]\nid = 'd'\nurl = '{}'\n",
    "camera": "[[cameras]]\nid = 'c'\nurl = '{}'\n",
    "sub-stream": "[[cameras]]\nid = 'c'\nurl = 'rtsp://10.0.0.1/'\nsub_url = '{}'\n",
    "broker": "[[mqtt.brokers]]\nurl = '{}'\n",
    "the broker": "[mqtt]\nmode = 'external'\nurl = '{}'\n",
}
SCHEMES = {"destination": "https", "camera": "rtsp", "sub-stream": "rtsps", "broker": "mqtts", "the broker": "mqtt"}
KEYS = {
    "destination": "destinations.d.url",
    "camera": "cameras.c.url",
    "sub-stream": "cameras.c.sub_url",
    "broker": "mqtt.brokers.0.url",
    "the broker": "mqtt.url",
}


def load(folder: Path, entry: str, url: str) -> None:
    (folder / "gateway.toml").write_text(f"[gateway]\nsite = 'east'\n{entry.format(url)}", "utf-8")
    load_settings(folder)


@pytest.mark.parametrize("kind", list(ENTRIES))
@pytest.mark.parametrize(
    "userinfo", ["office:Geheim7", ":Geheim7", "office:Gehe@Geheim7", "office:Geheim7/x", "u:Geheim7#1", "u:?Geheim7"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path, kind: str, userinfo: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, ENTRIES[kind], f"{SCHEMES[kind]}://{userinfo}@10.0.0.1/hook")
    (fault,) = refused.value.faults
    assert fault.key == KEYS[kind]
    assert "not belong in the url; " in fault.what
    assert SECRET not in repr(refused.value.faults)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("broker", "mqtts://user@10.0.0.1:8883"),
        ("the broker", "mqtt://user@[fe80::1]:1883"),
        ("destination", "https://10.0.0.1:8443/hook?mail=a@b"),
        ("destination", "https://[fe80::1]/@office"),
        ("destination", "https://h/a:b@c"),
        ("camera", "file:///recordings/a@b.mp4"),
    ],
)
def test_an_at_sign_alone_is_no_password(tmp_path: Path, kind: str, url: str) -> None:
    load(tmp_path, ENTRIES[kind], url)


@pytest.mark.parametrize("kind", ["destination", "camera"])
def test_a_user_alone_does_not_belong_there_either(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match="credentials do not belong"):
        load(tmp_path, ENTRIES[kind], f"{SCHEMES[kind]}://{SECRET}@10.0.0.1/hook")


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://h:8443/hook", "https://h:8443/hook"),
        ("https://h/hook?token=t", "https://h/hook"),
        ("https://h?token=t/x", "https://h"),
        ("https://h/hook#t", "https://h/hook"),
        ("rtsp://h/live/?user=a&password=b", "rtsp://h/live/"),
        ("rtsp://h:554/user=admin&password=b&channel=1/s.sdp?real", "rtsp://h:554/"),
        ("rtsp://h/live/user=a/1", "rtsp://h/live/"),
        ("onvif://h", "onvif://h"),
        ("file:///a?b=c.mp4", "file:///a?b=c.mp4"),
    ],
)
def test_what_anybody_may_read_of_an_address(url: str, public: str) -> None:
    assert public_part(url) == public
    assert public_part(public) == public
