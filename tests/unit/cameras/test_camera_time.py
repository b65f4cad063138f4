"""What cameras say about their time."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.cameras.camera_time import read_time


def _reply(*parts: str) -> etree._Element:
    return etree.fromstring(f'<a xmlns="http://www.onvif.org/ver10/schema">{"".join(parts)}</a>')


def _moment(name: str, text: str) -> str:
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    return f"<{name}>{''.join(f'<{n}>{v}</{n}>' for n, v in zip(names, text.split(), strict=True))}</{name}>"


LOCAL = _moment("LocalDateTime", "2026 11 23 16 0 5")


def test_utc_is_taken_where_it_is() -> None:
    reply = _reply("<TimeZone><TZ>CST-8</TZ></TimeZone>", _moment("UTCDateTime", "2026 11 23 8 0 5"), LOCAL)

    assert read_time(reply) == datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "saving", "hour", "minute"),
    [
        ("CST-8", "false", 8, 0),
        ("CST-8", "true", 7, 0),
        ("EST5EDT,M3.2.0,M11.1.0", "false", 21, 0),
        ("EST5EDT,M3.2.0,M11.1.0", "true", 20, 0),
        ("&lt;+0530&gt;-5:30", "0", 10, 30),
        ("MoroccoStandardTime0", "false", 16, 0),
        (" UTC+0 ", "false", 16, 0),
    ],
)
def test_local_time_is_taken_back_to_utc_by_a_posix_zone(zone: str, saving: str, hour: int, minute: int) -> None:
    reply = _reply(f"<DaylightSavings>{saving}</DaylightSavings><TimeZone><TZ>{zone}</TZ></TimeZone>", LOCAL)

    assert read_time(reply) == datetime(2026, 11, 23, hour, minute, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [LOCAL],
        [LOCAL, "<TimeZone><TZ>Beijing</TZ></TimeZone>"],
        [_moment("UTCDateTime", "2026 13 23 8 0 5")],
        [_moment("UTCDateTime", "2026 11 23 x 0 5")],
        ["<UTCDateTime/>"],
        ["<UTCDateTime><Date><Year>2026</Year></Date></UTCDateTime>"],
        [_moment("UTCDateTime", "0 0 0 0 0 0")],
    ],
)
def test_nonsense_is_no_time_and_no_crash(parts: list[str]) -> None:
    assert read_time(_reply(*parts)) is None


def test_a_leap_second_is_the_second_before() -> None:
    assert read_time(_reply(_moment("UTCDateTime", "2016 12 31 23 59 60"))) == datetime(
        2016, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def test_a_local_time_at_the_end_of_all_times_is_none() -> None:
    said = "<Year>9999</Year><Month>12</Month><Day>31</Day><Hour>23</Hour><Minute>0</Minute><Second>0</Second>"
    envelope = etree.fromstring(f"<a><TZ>PST8</TZ><LocalDateTime>{said}</LocalDateTime></a>")
    assert read_time(envelope) is None
