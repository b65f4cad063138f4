"""A stream clock that stands still: the ring keeps the pictures, in the order and at the times they came."""

import itertools
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fixtures_packets import bar, packets_of, pictures_in, slices_apart

from gateway.streams import ClipFollower, PacketRing, RingPacket, StreamFormat
from gateway.streams.standstill import begins_picture

TICK = Fraction(1, 90000)


def stuck(packets: list[RingPacket], *, since: int = 0) -> list[RingPacket]:
    """With the time of packet number `since` from there on."""
    return [replace(each, pts=packets[min(number, since)].pts) for number, each in enumerate(packets)]


def rounds(packets: list[RingPacket], count: int) -> list[RingPacket]:
    """The recording again and again, as a camera without a clock sends it."""
    return [replace(each, received=each.received + 2.0 * number) for number in range(count) for each in packets]


def fed(stream_format: StreamFormat, packets: list[RingPacket]) -> PacketRing:
    ring = PacketRing(seconds=60)
    ring.begin(stream_format)
    for packet in packets:
        ring.add(packet)
    return ring


def test_keyframes_begin_groups_though_their_times_are_the_same(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    ring = fed(stream_format, stuck(rounds(packets, 5)))
    # A keyframe each 0.4 s of 10 s; those of the first half second are in its one picture.
    assert len(ring._groups) == pytest.approx(24, abs=1)
    assert ring.number_at(5.0) > 100
    assert ring.size == sum(len(each.data) for each in packets) * 5


def test_the_clip_of_a_clock_that_stands_still_is_whole_but_for_its_first_half_second(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    ring = fed(stream_format, stuck(rounds(packets, 5)))
    clip = ClipFollower(ring, at=6.0, before=4.0, after=3.0, stop=threading.Event(), now=lambda: 1000.0, patience=0.0)
    fragments = list(clip.fragments())
    pictures = pictures_in(b"".join(each.mp4 for each in fragments))
    assert [bar(each) for each in pictures][:50] == list(range(50))
    assert len(pictures) == pytest.approx(7 * 25, abs=2)
    assert fragments[-1].seconds == pytest.approx(7.0, abs=0.1)
    assert clip.complete


def test_a_clock_that_goes_on_again_stays_on_the_line_of_times(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    sent = rounds(packets, 3)
    step = packets[1].pts or 0
    timed = [replace(each, pts=number * step) for number, each in enumerate(sent)]
    still = [replace(each, pts=50 * step) if 50 <= number < 100 else each for number, each in enumerate(timed)]
    kept = fed(stream_format, still).slice(0, most_bytes=1 << 30).packets
    times = [float(each.pts * stream_format.time_base) for each in kept if each.pts is not None]
    assert len(kept) > 130
    assert all(0 < later - earlier < 0.6 for earlier, later in itertools.pairwise(times))
    assert times[-1] == pytest.approx(kept[-1].received, abs=0.1)


def test_pictures_in_slices_stay_whole_while_the_clock_stands_still(with_slices: Path) -> None:
    stream_format, packets = packets_of(with_slices)
    ring = fed(stream_format, stuck(slices_apart(rounds(packets, 2))))
    clip = ring.clip(1.9)
    assert clip.pictures == len(pictures_in(clip.mp4)) == pytest.approx(48, abs=10)


def test_a_clock_that_goes_back_little_by_little_keeps_the_order_of_pictures(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    back = [replace(each, pts=90_000 - 600 * number) for number, each in enumerate(rounds(packets, 4))]
    pictures = pictures_in(fed(stream_format, back).clip(1.9).mp4)
    assert [bar(each) for each in pictures] == list(range(50))
    assert pictures[-1].time == pytest.approx(1.96, abs=0.05)


def test_slices_that_a_stalling_network_parts_stay_one_picture(with_slices: Path) -> None:
    stream_format, packets = packets_of(with_slices)
    sent = slices_apart(packets)
    # Each picture has three slices; the network stalls for 2 s behind the first one of the picture number 13.
    late = [replace(each, received=each.received + (2.0 if number > 39 else 0.0)) for number, each in enumerate(sent)]
    clip = fed(stream_format, late).clip(100)
    assert clip.pictures == 50
    assert [bar(each) for each in pictures_in(clip.mp4)] == list(range(50))


def test_pictures_without_any_time_are_not_joined_for_ever() -> None:
    ring = PacketRing()
    ring.begin(StreamFormat("mjpeg", 192, 108, TICK))
    for number in range(100):
        ring.add(RingPacket(b"jpeg", None, True, number / 10))
    assert len(ring._groups) >= 15


def test_a_picture_of_too_many_slices_is_told_as_several() -> None:
    ring = PacketRing()
    ring.begin(StreamFormat("h264", 192, 108, TICK))
    for _ in range(5000):
        ring.add(RingPacket(b"\0\0\1\x65\x00\x00", 0, True, 0.0))
    ring.close()
    kept = ring.slice(0, most_bytes=1 << 30).packets
    assert [len(each.data) // 6 for each in kept] == [2048, 2048, 904]


def test_a_picture_of_too_many_bytes_is_told_as_several() -> None:
    ring = PacketRing()
    ring.begin(StreamFormat("h264", 192, 108, TICK))
    for _ in range(20):
        ring.add(RingPacket(bytes(1 << 20), 0, True, 0.0))
    ring.close()
    assert [len(each.data) >> 20 for each in ring.slice(0, most_bytes=1 << 30).packets] == [8, 8, 4]


@pytest.mark.parametrize(
    ("data", "codec", "begins"),
    [
        (b"\0\0\0\1\x65\x88\x84", "h264", True),
        (b"\0\0\1\x67\x42\0\0\0\1\x68\xce\x38\0\0\1\x65\x88\x84", "h264", True),
        (b"\0\0\1\x61\x40\x10", "h264", False),
        (b"\0\0\1\x67\x42\x00", "h264", False),
        (b"", "h264", False),
        (b"\0\0\1\x26\x01\xaf", "hevc", True),
        (b"\0\0\1\x02\x01\x2f", "hevc", False),
        (b"\0\0\1\x40\x01\xff\0\0\1\x26\x01\xaf", "hevc", True),
        (b"\xff\xd8", "mjpeg", True),
    ],
)
def test_the_first_slice_of_a_picture_is_known(data: bytes, codec: str, begins: bool) -> None:
    assert begins_picture(data, codec) is begins
