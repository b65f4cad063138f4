"""Addresses that installers type and cameras tell."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cameras import OnvifAddress, parse_onvif_url, rehost, with_credentials, without_credentials
from gateway.errors import PermanentError


@pytest.mark.parametrize(
    ("text", "address", "service"),
    [
        ("onvif://10.0.0.5", OnvifAddress("10.0.0.5", 80), "http://10.0.0.5:80/onvif/device_service"),
        ("onvif://10.0.0.5:8000/", OnvifAddress("10.0.0.5", 8000), "http://10.0.0.5:8000/onvif/device_service"),
        ("onvif://gate.local:81", OnvifAddress("gate.local", 81), "http://gate.local:81/onvif/device_service"),
        ("onvif://[fe80::1]:81", OnvifAddress("fe80::1", 81), "http://[fe80::1]:81/onvif/device_service"),
        ("onvif://h/own/path", OnvifAddress("h", 80, "/own/path"), "http://h:80/own/path"),
    ],
)
def test_an_address_is_read(text: str, address: OnvifAddress, service: str) -> None:
    assert parse_onvif_url(text) == address
    assert parse_onvif_url(text).device_service == service


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.5",
        "http://10.0.0.5",
        "onvif://",
        "onvif://:80",
        "onvif://h:0",
        "onvif://h:99999",
        "onvif://h:x",
        "onvif://[::1",
        "onvif://h?a=b",
        "onvif://h#x",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PermanentError, match="onvif://192"):
        parse_onvif_url(text)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(PermanentError) as caught:
        parse_onvif_url("onvif://admin:hunter2@10.0.0.5")

    assert "hunter2" not in str(caught.value)


def test_credentials_are_percent_encoded() -> None:
    url = with_credentials("rtsp://10.0.0.5:554/live?x=1#y", "ga te", "p@ss:w/rd#1")

    assert url == "rtsp://ga%20te:p%40ss%3Aw%2Frd%231@10.0.0.5:554/live?x=1#y"


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_credentials_come_back_as_they_were(username: str, password: str) -> None:
    parts = urlsplit(with_credentials("rtsp://10.0.0.5/live", username, password))

    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (username, password)
    assert (parts.hostname, parts.path) == ("10.0.0.5", "/live")


def test_credentials_that_a_camera_put_there_are_replaced_or_dropped() -> None:
    assert with_credentials("rtsp://a:b@10.0.0.5/live", "u", "p") == "rtsp://u:p@10.0.0.5/live"
    assert with_credentials("rtsp://a:b@10.0.0.5/live", "", "") == "rtsp://10.0.0.5/live"
    assert without_credentials("rtsp://a:b@10.0.0.5/live@2") == "rtsp://10.0.0.5/live@2"


@pytest.mark.parametrize(
    ("said", "port", "expected"),
    [
        ("rtsp://192.168.68.111:554/s?c=1&p=2", None, "rtsp://10.0.0.5:554/s?c=1&p=2"),
        ("rtsp://u:p@192.168.68.111/s", None, "rtsp://10.0.0.5/s"),
        ("http://10.0.0.9:80:8000/onvif/x", None, "http://10.0.0.5:8000/onvif/x"),
        ("http://:2020/onvif/x", None, "http://10.0.0.5:2020/onvif/x"),
        ("http:///onvif/x", 8000, "http://10.0.0.5:8000/onvif/x"),
        ("http://[fe80::1]:80/x", 81, "http://10.0.0.5:81/x"),
        (" \n http://h/x \n", None, "http://10.0.0.5/x"),
    ],
)
def test_a_host_is_replaced_and_path_and_query_stay(said: str, port: int | None, expected: str) -> None:
    assert rehost(said, "10.0.0.5", port) == expected


def test_a_host_of_version_6_is_bracketed() -> None:
    assert rehost("rtsp://h:554/x", "fe80::1") == "rtsp://[fe80::1]:554/x"


@pytest.mark.parametrize("said", ["", "/onvif/x", "h:80", "None"])
def test_what_is_no_url_is_refused(said: str) -> None:
    with pytest.raises(PermanentError, match="no URL"):
        rehost(said, "10.0.0.5")


@pytest.mark.parametrize("url", ["http://h/" + "a" * 3000, "http://h/" + " " * 3000 + "x"])
def test_an_address_without_end_is_none(url: str) -> None:
    with pytest.raises(PermanentError) as error:
        rehost(url, "10.0.0.5")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("read", [parse_onvif_url, without_credentials])
def test_what_stands_before_a_host_without_scheme_is_not_repeated(read: Callable[[str], object]) -> None:
    with pytest.raises(PermanentError) as error:
        read("admin:p@ss:w/rd#1@10.0.0.5")
    assert "rd#1" not in str(error.value)
    assert error.value.where == "10.0.0.5"
