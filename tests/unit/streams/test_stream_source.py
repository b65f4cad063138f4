"""Addresses and credentials."""

import pytest

from gateway.errors import PermanentError
from gateway.streams import StreamSource

HARD = "p@ss:w/rd#1 ü?"


def test_credentials_are_percent_encoded_and_kept_out_of_everything_but_the_address() -> None:
    source = StreamSource(url="rtsp://10.0.0.5:554/live?channel=1", username="gate way", password=HARD)
    assert source.address() == "rtsp://gate%20way:p%40ss%3Aw%2Frd%231%20%C3%BC%3F@10.0.0.5:554/live?channel=1"
    assert HARD not in repr(source)
    assert source.label == "rtsp://10.0.0.5:554/live?channel=1"


def test_credentials_in_the_url_give_way() -> None:
    advertised = "rtsp://admin:12345@cam.local/s1"
    assert StreamSource(url=advertised, username="u", password="p").address() == "rtsp://u:p@cam.local/s1"
    assert StreamSource(url=advertised).address() == "rtsp://cam.local/s1"
    assert "12345" not in StreamSource(url=advertised).label


def test_an_ipv6_host_keeps_its_brackets() -> None:
    assert (
        StreamSource(url="rtsp://[fe80::1]:554/a", username="u", password="p").address() == "rtsp://u:p@[fe80::1]:554/a"
    )


def test_a_recording_is_a_path() -> None:
    source = StreamSource(url="file:///srv/gate%20one.mp4", username="u", password="p")
    assert source.is_recording
    assert source.address() == "/srv/gate one.mp4"


@pytest.mark.parametrize("url", ["http://cam/video", "/srv/a.mp4", "", "onvif://cam", "concat:a|b"])
def test_another_kind_of_address_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(PermanentError, match="Give rtsp://"):
        StreamSource(url=url)
