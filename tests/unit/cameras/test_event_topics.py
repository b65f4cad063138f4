"""Topics and notices as cameras send them."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from gateway.cameras.eventing.notices import Notice, read_notices
from gateway.cameras.eventing.topics import TOPICS, Kind, kind_of, plain_topic

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("tns1:RuleEngine/CellMotionDetector/Motion", "RuleEngine/CellMotionDetector/Motion"),
        ("\n   tns1:Device/Trigger/DigitalInput//.\n  ", "Device/Trigger/DigitalInput"),
        ("tns1:Device/Trigger/tnshik:AlarmIn", "Device/Trigger/AlarmIn"),
        ("Device/Trigger/Relay/.", "Device/Trigger/Relay"),
        ("", ""),
    ],
)
def test_a_topic_loses_padding_prefixes_and_tail(said: str, plain: str) -> None:
    assert plain_topic(said) == plain


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("VideoSource/GlobalSceneChange/ImagingService", Kind.TAMPER),
        ("VideoSource/GlobalSceneChange", None),
        ("RuleEngine/CellMotionDetector/Motion", Kind.MOTION),
        ("Acme/RuleEngine/CellMotionDetector/Motion", Kind.MOTION),
        ("RuleEngine/LineDetector/Crossed", None),
        ("", None),
    ],
)
def test_a_topic_is_known_by_its_last_segments(topic: str, kind: Kind | None) -> None:
    assert kind_of(topic) is kind


def test_every_entry_of_the_map_is_found() -> None:
    assert [kind_of(pattern.replace("*", "x")) for pattern, _kind in TOPICS] == [kind for _pattern, kind in TOPICS]


@pytest.mark.parametrize(
    ("data", "active"),
    [
        ({"IsMotion": "true"}, True),
        ({"State": "1"}, True),
        ({"LogicalState": "inactive"}, False),
        ({"tnsx:State": " ON "}, True),
        ({"Sensitivity": "1", "IsTamper": "false"}, False),
        ({"Odd": "active"}, True),
        ({"Level": "42"}, None),
        ({}, None),
    ],
)
def test_a_state_is_understood_under_any_name(data: dict[str, str], active: bool | None) -> None:
    assert Notice("t", data=data).active is active


def test_a_token_is_found_among_the_items() -> None:
    assert Notice("t", source={"VideoSource": "v", "InputToken": "3"}).token == "3"
    assert Notice("t", source={"Odd": "x"}).token == "x"
    assert Notice("t").token == ""


@pytest.mark.parametrize(
    ("said", "happened"),
    [
        (NOW - timedelta(hours=1), NOW - timedelta(hours=1, seconds=10)),
        (NOW + timedelta(hours=1), NOW),
        (None, NOW),
    ],
)
def test_a_time_is_ours_and_never_later_than_now(said: datetime | None, happened: datetime) -> None:
    assert Notice("t", said_at=said).happened(timedelta(seconds=10), NOW) == happened


def _message(inner: str, topic: str = "tns1:Device/Trigger/DigitalInput") -> etree._Element:
    return etree.fromstring(
        '<Notify xmlns="urn:n"><NotificationMessage>'
        f"<Topic>{topic}</Topic><Message>{inner}</Message></NotificationMessage></Notify>"
    )


def test_all_items_are_read_in_either_order_of_attributes() -> None:
    (notice,) = read_notices(
        _message(
            '<Message UtcTime="2026-11-26T11:00:00Z" PropertyOperation="Changed"><Source>'
            '<SimpleItem Value="1" Name="InputToken"/></Source><Data><SimpleItem Name="A" Value="x"/>'
            '<SimpleItem Name="State" Value="true"/></Data></Message>'
        )
    )

    assert (notice.token, notice.active, notice.initial) == ("1", True, False)
    assert notice.data == {"A": "x", "State": "true"}
    assert notice.said_at == datetime(2026, 11, 26, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "time", ["0000-00-00T00:00:00Z", "", "yesterday", "2485-13-13T00:00:00Z", "0001-01-01T00:00:00Z"]
)
def test_what_is_no_time_is_none(time: str) -> None:
    (notice,) = read_notices(_message(f'<Message UtcTime="{time}" PropertyOperation="Initialized"/>'))

    assert (notice.said_at, notice.initial) == (None, True)


@pytest.mark.parametrize("said", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("offset", [timedelta.max, timedelta(seconds=1), timedelta(seconds=-1), timedelta.min])
def test_no_time_of_a_camera_is_beyond_what_can_be_reckoned(said: str, offset: timedelta) -> None:
    now = datetime(2026, 11, 26, 11, tzinfo=UTC)
    (notice,) = read_notices(_message(f'<Message UtcTime="{said}"/>'))

    assert notice.happened(offset, now) <= now


def test_messages_within_a_message_are_none_and_there_is_an_end_of_them() -> None:
    """A camera that nests a thousand of them would cost hours."""
    opened, closed = "<NotificationMessage>" * 200, "</NotificationMessage>" * 200
    nested = etree.fromstring(f"<a>{opened}<Message/>{closed}</a>")
    many = etree.fromstring("<a>" + "<b><NotificationMessage/></b>" * 3000 + "</a>")

    assert (len(read_notices(nested)), len(read_notices(many))) == (1, 1000)


def test_a_message_within_a_message_is_none_of_its_own() -> None:
    inner = "<NotificationMessage><Topic>a</Topic></NotificationMessage>"
    nested = f"<NotificationMessage><Topic>b</Topic>{inner}</NotificationMessage>"

    found = read_notices(etree.fromstring(f"<Body>{nested}{inner}</Body>"))

    assert [each.topic for each in found] == ["b", "a"]
