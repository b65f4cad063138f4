"""Packets of the simulated camera, byte by byte."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from gateway.simulators.camera.nal import H265
from gateway.simulators.camera.rtp import PAYLOAD_TYPE, RtpStream, payloads


def _reassembled(parts: tuple[bytes, ...]) -> list[bytes]:
    """What a receiver makes of payloads, by RFC 6184 §5.6 and §5.8."""
    units: list[bytes] = []
    for part in parts:
        if part[0] & 0x1F != 28:
            units.append(part)
        elif part[1] & 0x80:
            units.append(bytes((part[0] & 0xE0 | part[1] & 0x1F,)) + part[2:])
        else:
            units[-1] += part[2:]
    return units


def _reassembled_of_h265(parts: tuple[bytes, ...]) -> list[bytes]:
    """The same by RFC 7798 §4.4.1 and §4.4.3."""
    units: list[bytes] = []
    for part in parts:
        if part[0] >> 1 & 0x3F != 49:
            units.append(part)
        elif part[2] & 0x80:
            units.append(bytes((part[0] & 0x81 | (part[2] & 0x3F) << 1, part[1])) + part[3:])
        else:
            units[-1] += part[3:]
    return units


@given(
    st.lists(st.binary(min_size=1, max_size=60).map(lambda b: b"\x26\x01" + b), min_size=1, max_size=5),
    st.integers(4, 30),
)
def test_a_receiver_of_h265_gets_every_unit_whole(units: list[bytes], limit: int) -> None:
    parts = payloads(units, H265, limit=limit)

    assert _reassembled_of_h265(parts) == units
    assert all(len(part) <= limit for part in parts)
    assert all((part[2] & 0xC0) != 0xC0 for part in parts if part[0] >> 1 & 0x3F == 49), "one fragment is no fragment"


@given(
    st.lists(st.binary(min_size=2, max_size=60).map(lambda b: b"\x65" + b), min_size=1, max_size=5), st.integers(4, 30)
)
def test_a_receiver_gets_every_unit_whole_whatever_the_limit(units: list[bytes], limit: int) -> None:
    parts = payloads(units, limit=limit)

    assert _reassembled(parts) == units
    assert all(len(part) <= limit for part in parts)


def test_a_unit_of_exactly_the_limit_is_not_fragmented() -> None:
    assert payloads([b"\x41" * 10], limit=10) == (b"\x41" * 10,)


def test_the_last_fragment_alone_has_the_end_bit() -> None:
    parts = payloads([b"\x65" + bytes(25)], limit=10)

    assert [part[1] & 0xC0 for part in parts] == [0x80, 0, 0, 0x40]


def test_packets_of_one_picture_share_the_time_and_the_marker_is_on_the_last() -> None:
    stream = RtpStream(ssrc=7, sequence=0xFFFF, offset=0xFFFFFFFF)

    first, second = stream.packets((b"\x41a", b"\x41b"), 1)

    assert struct.unpack("!BBHII", first[:12]) == (0x80, PAYLOAD_TYPE, 0xFFFF, 0, 7)
    assert struct.unpack("!BBHII", second[:12]) == (0x80, 0x80 | PAYLOAD_TYPE, 0, 0, 7)


def test_a_sender_report_ties_wall_time_and_counts() -> None:
    stream = RtpStream(ssrc=9, sequence=0, offset=10)
    stream.packets((b"\x41abc",), 0)

    report = stream.sender_report(1_700_000_000.5, 90)

    _, kind, words, ssrc, seconds, fraction, stamp, packets, octets = struct.unpack("!BBHIIIIII", report[:28])
    assert (kind, words, ssrc) == (200, 6, 9)
    assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 2**31)
    assert (stamp, packets, octets) == (100, 1, 4)
    assert len(report) % 4 == 0


def test_a_goodbye_ends_with_bye_of_the_same_source() -> None:
    stream = RtpStream(ssrc=9)

    assert stream.bye(0.0, 0)[-8:] == struct.pack("!BBHI", 0x81, 203, 1, 9)
