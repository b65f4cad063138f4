"""Every packet comes back as it was, and garbage is refused with a typed error and nothing else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms.codec import PacketReader, encode_packet
from gateway.alarms.packets import (
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
from gateway.alarms.wireformat import (
    MalformedPacketError,
    PacketTooLargeError,
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


@given(st.lists(PACKETS, max_size=5), st.integers(1, 50))
def test_packets_come_back_as_they_were_however_the_bytes_arrive(packets: list[Packet], step: int) -> None:
    stream = b"".join(encode_packet(packet) for packet in packets)
    reader = PacketReader(100_000)
    read = [packet for start in range(0, len(stream), step) for packet in reader.feed(stream[start : start + step])]
    assert read == packets
    assert reader.waiting == 0


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_waits_for_more(data: bytes) -> None:
    with contextlib.suppress(MalformedPacketError):
        list(PacketReader(1000).feed(data))


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
