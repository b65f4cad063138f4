"""Every packet comes back as it was, and garbage is refused with a typed error and nothing else."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms import properties as props
from gateway.alarms.codec import PacketReader, encode_packet
from gateway.alarms.packets import (
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from gateway.alarms.properties import MOST_OF_A_NAME, NOTHING, Properties, put_properties, read_properties
from gateway.alarms.reasons import Reason
from gateway.alarms.wireformat import (
    Cursor,
    MalformedPacketError,
    PacketTooLargeError,
    ProtocolBreachError,
    UnsupportedProtocolError,
    topic_matches,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
TOPIC = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=40)
IDS = st.integers(1, 65535)
WILL = st.builds(Will, topic=TOPIC, payload=st.binary(max_size=40), qos=st.integers(0, 2), retain=st.booleans())
CONNECT = st.builds(
    Connect,
    client_id=TEXT,
    clean_session=st.booleans(),
    keepalive=st.integers(0, 65535),
    will=st.none() | WILL,
    username=TEXT,
    password=st.none() | st.binary(max_size=20),
)
PUBLISH = st.one_of(
    st.builds(Publish, topic=TOPIC, payload=st.binary(max_size=300), retain=st.booleans()),
    st.builds(
        Publish,
        topic=TOPIC,
        payload=st.binary(max_size=300),
        qos=st.integers(1, 2),
        retain=st.booleans(),
        dup=st.booleans(),
        packet_id=IDS,
    ),
)
FILTER = st.sampled_from(["a", "a/b", "+", "#", "a/+/b", "a/#", "/", "+/+"])
PACKETS = st.one_of(
    CONNECT,
    PUBLISH,
    st.builds(Connack, session_present=st.booleans(), code=st.integers(0, 5)),
    *(st.builds(kind, IDS) for kind in (Puback, Pubrec, Pubrel, Pubcomp, Unsuback)),
    st.builds(Subscribe, IDS, st.lists(st.tuples(FILTER, st.integers(0, 2)), min_size=1, max_size=3).map(tuple)),
    st.builds(Suback, IDS, st.lists(st.sampled_from([0, 1, 2, 0x80]), min_size=1, max_size=3).map(tuple)),
    st.builds(Unsubscribe, IDS, st.lists(FILTER, min_size=1, max_size=3).map(tuple)),
    st.sampled_from([Pingreq(), Pingresp(), Disconnect()]),
)


TEXT5 = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "payload_format": st.integers(0, 1),
    "message_expiry": st.integers(0, 2**32 - 1),
    "content_type": TEXT5,
    "response_topic": TOPIC,
    "correlation_data": st.binary(max_size=20),
    "subscription_ids": st.lists(st.integers(1, 268_435_455), min_size=1, max_size=3).map(tuple),
    "session_expiry": st.integers(0, 2**32 - 1),
    "assigned_client_id": TEXT5,
    "server_keep_alive": st.integers(0, 65535),
    "authentication_method": TEXT5,
    "request_problem_information": st.integers(0, 1),
    "will_delay": st.integers(0, 2**32 - 1),
    "request_response_information": st.integers(0, 1),
    "response_information": TEXT5,
    "server_reference": TEXT5,
    "reason_string": TEXT5,
    "receive_maximum": st.integers(1, 65535),
    "topic_alias_maximum": st.integers(0, 65535),
    "topic_alias": st.integers(1, 65535),
    "maximum_qos": st.integers(0, 1),
    "retain_available": st.integers(0, 1),
    "user": st.lists(st.tuples(TEXT5, TEXT5), min_size=1, max_size=3).map(tuple),
    "maximum_packet_size": st.integers(1, 2**32 - 1),
    "wildcard_available": st.integers(0, 1),
    "subscription_ids_available": st.integers(0, 1),
    "shared_available": st.integers(0, 1),
}
COMMON = ("reason_string", "user")
# What each packet may carry (§2.2.2.2), written down a second time: the codec's table is what is under test.
CARRIED = {
    "will": (
        "payload_format",
        "message_expiry",
        "content_type",
        "response_topic",
        "correlation_data",
        "will_delay",
        "user",
    ),
    "connect": (
        *("session_expiry", "receive_maximum", "maximum_packet_size", "topic_alias_maximum", "user"),
        *("request_response_information", "request_problem_information", "authentication_method"),
    ),
    "connack": (
        *("session_expiry", "receive_maximum", "maximum_qos", "retain_available", "maximum_packet_size", *COMMON),
        *("assigned_client_id", "topic_alias_maximum", "wildcard_available", "subscription_ids_available"),
        *("shared_available", "server_keep_alive", "response_information", "server_reference", "authentication_method"),
    ),
    "publish": (
        *("payload_format", "message_expiry", "topic_alias", "response_topic", "correlation_data", "user"),
        *("subscription_ids", "content_type"),
    ),
    "subscribe": ("user",),
    "disconnect": ("session_expiry", "server_reference", *COMMON),
    "auth": ("authentication_method", *COMMON),
    "answer": COMMON,
}


def carried(kind: str) -> st.SearchStrategy[Properties]:
    optional = {name: FIELDS[name] for name in CARRIED[kind]}
    return st.fixed_dictionaries({}, optional=optional).map(lambda found: Properties(**found) if found else NOTHING)


REASONS = st.sampled_from(sorted(Reason))
PATTERN = st.sampled_from(["a", "a/b", "+", "#", "a/+/b", "a/#", "/", "+/+", "$share/g/a/#"])
OPTIONS = st.builds(lambda *parts: sum(parts), *map(st.sampled_from, ([0, 1, 2], [0, 8], [0, 0x10, 0x20])))
WILL5 = st.builds(
    Will,
    topic=TOPIC,
    payload=st.binary(max_size=40),
    qos=st.integers(0, 2),
    retain=st.booleans(),
    properties=carried("will"),
)
PACKETS5 = st.one_of(
    st.builds(
        Publish,
        topic=TOPIC,
        payload=st.binary(max_size=300),
        qos=st.integers(1, 2),
        retain=st.booleans(),
        dup=st.booleans(),
        packet_id=IDS,
        properties=carried("publish"),
    ),
    st.builds(Publish, topic=TOPIC, payload=st.binary(max_size=300), properties=carried("publish")),
    st.builds(Connack, session_present=st.booleans(), code=REASONS, properties=carried("connack")),
    *(st.builds(kind, IDS, REASONS, carried("answer")) for kind in (Puback, Pubrec, Pubrel, Pubcomp)),
    st.builds(
        Subscribe, IDS, st.lists(st.tuples(PATTERN, OPTIONS), min_size=1, max_size=3).map(tuple), carried("subscribe")
    ),
    st.builds(Suback, IDS, st.lists(REASONS, min_size=1, max_size=3).map(tuple), carried("answer")),
    st.builds(Unsubscribe, IDS, st.lists(PATTERN, min_size=1, max_size=3).map(tuple), carried("subscribe")),
    st.builds(Unsuback, IDS, st.lists(REASONS, min_size=1, max_size=3).map(tuple), carried("answer")),
    st.builds(Disconnect, REASONS, carried("disconnect")),
    st.builds(Auth, REASONS, carried("auth")),
    st.sampled_from([Pingreq(), Pingresp(), Disconnect(), Auth()]),
)
CONNECT5 = st.builds(
    Connect,
    client_id=TEXT,
    clean_session=st.booleans(),
    keepalive=st.integers(0, 65535),
    will=st.none() | WILL5,
    username=st.none() | TEXT,
    password=st.none() | st.binary(max_size=20),
    protocol_level=st.just(5),
    properties=carried("connect"),
)


@given(CONNECT5, st.lists(PACKETS5, max_size=4), st.integers(1, 50))
def test_packets_of_mqtt_5_come_back_behind_the_connect_that_says_the_version(
    connect: Connect, packets: list[Packet], step: int
) -> None:
    sent = [connect, *packets]
    stream = b"".join(encode_packet(packet, 5) for packet in sent)
    reader = PacketReader(1_000_000)
    assert [each for at in range(0, len(stream), step) for each in reader.feed(stream[at : at + step])] == sent


@given(st.one_of(PACKETS5, CONNECT5), st.data())
def test_a_changed_packet_of_mqtt_5_is_another_one_or_refused(packet: Packet, data: st.DataObject) -> None:
    raw = bytearray(encode_packet(packet, 5))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    reader = PacketReader(1000, level=5)
    with contextlib.suppress(MalformedPacketError):
        for found in reader.feed(bytes(raw)):
            again = PacketReader(2000, level=5)
            assert list(again.feed(encode_packet(found, 5))) == [found]


@given(st.lists(PACKETS, max_size=5), st.integers(1, 50))
def test_packets_come_back_as_they_were_however_the_bytes_arrive(packets: list[Packet], step: int) -> None:
    stream = b"".join(encode_packet(packet) for packet in packets)
    reader = PacketReader(100_000)
    read = [packet for start in range(0, len(stream), step) for packet in reader.feed(stream[start : start + step])]
    assert read == packets
    assert reader.waiting == 0


@given(st.binary(max_size=200), st.sampled_from([4, 5]))
def test_garbage_is_refused_or_waits_for_more(data: bytes, level: int) -> None:
    with contextlib.suppress(MalformedPacketError):
        list(PacketReader(1000, level).feed(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x30\x05\x00\x01a\x80\x80", Reason.MALFORMED_PACKET),  # a length of properties without end
        (b"\x30\x06\x00\x01a\x02\x01\x02", Reason.PROTOCOL_ERROR),  # payload format 2
        (b"\x30\x08\x00\x01a\x04\x01\x01\x01\x01", Reason.PROTOCOL_ERROR),  # twice
        (b"\x30\x06\x00\x01a\x02\x24\x01", Reason.MALFORMED_PACKET),  # Maximum QoS in a PUBLISH
        (b"\x30\x07\x00\x01a\x03\x23\x00\x00", Reason.TOPIC_ALIAS_INVALID),
        (b"\x30\x06\x00\x01a\x02\x0b\x00", Reason.PROTOCOL_ERROR),  # subscription identifier 0
        (b"\x30\x03\x00\x00\x00", Reason.TOPIC_NAME_INVALID),  # no topic, and no alias for it
        (b"\x40\x03\x00\x01\x77", Reason.MALFORMED_PACKET),  # a reason that is not known
        (b"\x82\x07\x00\x01\x00\x00\x01a\x30", Reason.MALFORMED_PACKET),  # retain handling 3
        (b"\x82\x07\x00\x01\x00\x00\x01a\x40", Reason.MALFORMED_PACKET),
        (b"\x82\x03\x00\x01\x00", Reason.PROTOCOL_ERROR),
        (b"\xe0\x03\x00\x81\x00", Reason.MALFORMED_PACKET),  # a length in two bytes that fits into one
        (b"\xf1\x00", Reason.MALFORMED_PACKET),
    ],
)
def test_each_breach_of_mqtt_5_has_its_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(MalformedPacketError) as error:
        list(PacketReader(1000, level=5).feed(data))
    assert error.value.reason == reason


def test_repeated_properties_keep_their_order_and_are_bounded() -> None:
    """What a stranger sends before its CONNECT is judged is read on the loop of the presses."""
    told = Properties(user=tuple((f"name {number}", "") for number in range(MOST_OF_A_NAME)))
    assert read_properties(Cursor(put_properties(told)), props.PUBLISH) == told
    more = Properties(user=(*told.user, ("one", "more")))
    with pytest.raises(ProtocolBreachError) as error:
        read_properties(Cursor(put_properties(more)), props.PUBLISH)
    assert error.value.reason == Reason.QUOTA_EXCEEDED


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x00\x00", MalformedPacketError),
        (b"\xf0\x00", MalformedPacketError),
        (b"\x36\x05\x00\x01a\x00\x01", MalformedPacketError),
        (b"\x38\x03\x00\x01a", MalformedPacketError),
        (b"\x32\x05\x00\x01a\x00\x00", MalformedPacketError),
        (b"\x30\x03\x00\x01#", MalformedPacketError),
        (b"\x30\x02\x00\x00", MalformedPacketError),
        (b"\x30\x04\x00\x02\xff\xfe", MalformedPacketError),
        (b"\x30\x03\x00\x01\x00", MalformedPacketError),
        (b"\x30\x05\x00\x09abc", MalformedPacketError),
        (b"\x80\x06\x00\x01\x00\x01a\x00", MalformedPacketError),
        (b"\x82\x02\x00\x01", MalformedPacketError),
        (b"\x82\x08\x00\x01\x00\x03a#b\x00", MalformedPacketError),
        (b"\x82\x06\x00\x01\x00\x01a\x03", MalformedPacketError),
        (b"\xc0\x01\x00", MalformedPacketError),
        (b"\x10\x0c\x00\x04MQTT\x06\x02\x00\x00\x00\x00", UnsupportedProtocolError),
        (b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00", MalformedPacketError),
        (b"\x10\x0c\x00\x04MQTT\x04\x42\x00\x00\x00\x00", MalformedPacketError),
        (b"\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00", MalformedPacketError),
        (b"\x10\x0c\x00\x04HTTP\x04\x02\x00\x00\x00\x00", MalformedPacketError),
        (b"\x30\xff\xff\xff\xff\x01", MalformedPacketError),
        (b"\x30\x80\x80\x04", PacketTooLargeError),
    ],
)
def test_each_breach_of_the_standard_has_its_error(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(PacketReader(1000).feed(data))


@pytest.mark.parametrize(
    ("pattern", "topic", "taken"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("+/+", "/a", True),
        ("a", "a/b", False),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
    ],
)
def test_filters_take_topics_as_the_standard_says(pattern: str, topic: str, taken: bool) -> None:
    assert topic_matches(pattern, topic) is taken
