"""Which of a camera's streams is kept and which is looked at, and that the codec's part in it is told."""

import pytest

from gateway.cameras import MediaProfile
from gateway.cameras.choice import choose


def profile(said: str) -> MediaProfile:
    """As ``token 1920x1080 H264``."""
    token, size, codec = (said + " ").split(" ", 2)
    width, _, height = size.partition("x")
    return MediaProfile(token, token, int(width), int(height), codec.strip())


@pytest.mark.parametrize(
    ("said", "main", "sub", "why"),
    [
        ("a 1920x1080 H264; b 640x360 H264", "a", "b", ""),
        ("a 1920x1080 H265; b 640x360 H265", "a", "b", ""),
        ("a 1920x1080 H265; b 640x360 H265; c 640x360 H264", "a", "c", "rather than b (640x360 H265)"),
        ("a 1920x1080 H265; b 640x360 H265; c 704x576 H264", "a", "c", "c (704x576 H264) is looked at"),
        ("a 1920x1080 H265; b 640x360 H265; c 1920x1080 H264", "c", "b", "c (1920x1080 H264) is kept"),
        ("a 1920x1080 H.264; b 640x360 HEVC; c 1280x720 H264", "a", "b", ""),
        ("a 1920x1080 H265; b 1920x1080 H264", "b", None, "every browser plays clips of H.264"),
        ("a 1920x1080 H265; b 1600x900 H264", "a", "b", ""),
        ("a 1920x1080 JPEG; b 1280x720 H265", "b", None, ""),
        ("a 1920x1080 JPEG; b 1280x720 JPEG", "a", "b", ""),
        ("a 0x0 ; b 640x360 H265", "b", None, ""),
        ("a 0x0 ", "a", None, ""),
    ],
)
def test_the_cheapest_stream_that_shows_faces_is_looked_at_and_the_largest_is_kept(
    said: str, main: str, sub: str | None, why: str
) -> None:
    chosen = choose([profile(each.strip()) for each in said.split(";")])

    assert (chosen.main.token, chosen.sub.token if chosen.sub else None) == (main, sub)
    assert why in chosen.why
    assert bool(why) == bool(chosen.why)


def test_a_sub_stream_that_shows_no_faces_is_not_looked_at_whatever_its_codec() -> None:
    chosen = choose([profile("a 3840x2160 H265"), profile("b 352x288 H264")])

    assert (chosen.main.token, chosen.sub) == ("a", None)
