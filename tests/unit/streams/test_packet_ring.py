"""The ring begins at a keyframe and keeps its bounds."""

import threading
from dataclasses import replace
from fractions import Fraction

import pytest

from gateway.errors import PermanentError
from gateway.streams import PacketRing, RingPacket, StreamFormat

FORMAT = StreamFormat("h264", 192, 108, Fraction(1, 90000))


def feed(ring: PacketRing, seconds: float, *, group: int = 10, size: int = 100, start: float = 0.0) -> None:
    for index in range(round(seconds * 10)):
        ring.add(RingPacket(bytes(size), index * 9000, index % group == 0, start + index / 10))


def test_what_comes_before_the_first_keyframe_is_dropped() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    ring.add(RingPacket(b"p", 1, False, 0.0))
    assert ring.size == 0
    ring.add(RingPacket(b"key", 2, True, 0.1))
    assert ring.size == 3


def test_it_reaches_back_the_seconds_asked_for_and_at_most_one_group_more() -> None:
    ring = PacketRing(seconds=5)
    ring.begin(FORMAT)
    feed(ring, 60)
    assert 5 <= ring.seconds <= 6
    assert ring.size <= 61 * 100


def test_whole_groups_go_when_the_bytes_are_too_many() -> None:
    ring = PacketRing(seconds=1000, max_bytes=5000)
    ring.begin(FORMAT)
    feed(ring, 60)
    assert 4000 <= ring.size <= 5000


def test_one_endless_group_cannot_pass_the_bound() -> None:
    ring = PacketRing(max_bytes=5000)
    ring.begin(FORMAT)
    feed(ring, 60, group=10_000)
    assert ring.size <= 5000
    ring.add(RingPacket(b"key", 0, True, 60.0))
    assert ring.size == 3


def test_slices_of_one_picture_are_joined() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    for data, pts, key in ((b"a", None, True), (b"b", None, True), (b"c", 3, False), (b"d", 3, False), (b"e", 4, True)):
        ring.add(RingPacket(data, pts, key, 0.0))
    assert [[packet.data for packet in group] for group in ring._groups] == [[b"ab", b"cd"], [b"e"]]
    assert ring.size == 5


def test_a_new_session_drops_what_has_other_parameters() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    feed(ring, 2)
    ring.begin(replace(FORMAT, width=640))
    assert ring.size == 0


def test_a_new_session_of_the_same_format_follows_in_time() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    feed(ring, 2)
    ring.begin(FORMAT)
    feed(ring, 2, start=3.0)
    packets = ring.slice(0, most_bytes=1 << 20).packets
    assert [packet.pts for packet in packets[18:22]] == [18 * 9000, 19 * 9000, 30 * 9000, 31 * 9000]


def test_a_camera_whose_clock_jumps_stays_on_the_line_of_times() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    for index, pts in enumerate((0, 9000, 2**40, 2**40 + 9000)):
        ring.add(RingPacket(b"p", pts, True, index / 10))
    ring.close()
    assert [packet.pts for packet in ring.slice(0, most_bytes=99).packets] == [0, 9000, 18000, 27000]


def test_a_slice_holds_whole_packets_from_a_number_on() -> None:
    ring = PacketRing()
    assert ring.slice(0, most_bytes=1).packets == ()
    ring.begin(FORMAT)
    feed(ring, 2)
    found = ring.slice(5, most_bytes=250)
    assert (len(found.packets), found.next, found.over) == (3, 8, False)
    rest = ring.slice(found.next, most_bytes=1 << 20)
    assert len(rest.packets) == 11, "the newest may still get another slice"
    ring.close()
    assert ring.slice(rest.next, most_bytes=1 << 20).over


def test_numbers_go_on_when_old_groups_are_dropped() -> None:
    ring = PacketRing(seconds=2)
    ring.begin(FORMAT)
    feed(ring, 10)
    found = ring.slice(0, most_bytes=1)
    assert found.packets[0].keyframe
    assert found.next > 60
    assert ring.number_at(8.5) == 80
    assert ring.number_at(0.0) == found.next - 1


def test_an_empty_ring_gives_no_clip_but_a_reason() -> None:
    with pytest.raises(PermanentError, match="no recorded picture"):
        PacketRing().clip(5)


def test_a_codec_that_has_no_clips_is_named() -> None:
    ring = PacketRing()
    ring.begin(StreamFormat("mjpeg", 192, 108, Fraction(1, 90000)))
    feed(ring, 1)
    with pytest.raises(PermanentError, match="mjpeg"):
        ring.clip(5)


def test_a_clip_that_waits_for_what_comes_is_let_go_when_the_stream_stops() -> None:
    ring = PacketRing()
    ring.begin(StreamFormat("mjpeg", 192, 108, Fraction(1, 90000)))
    feed(ring, 1)
    caught: list[Exception] = []

    def ask() -> None:
        try:
            ring.clip(1, 1000)
        except PermanentError as error:
            caught.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    ring.close()
    asker.join(30)
    assert len(caught) == 1


@pytest.mark.parametrize("away", [30.0, 3600.0, 50_000.0])
def test_what_was_before_a_long_outage_is_no_past_of_what_comes_after(away: float) -> None:
    """The pictures of hours ago would be the beginning of a press's clip, and their distance more than MP4 can say."""
    ring = PacketRing(seconds=15)
    ring.begin(FORMAT)
    feed(ring, 20)
    ring.begin(FORMAT)
    feed(ring, 4, start=20 + away)
    assert ring.seconds < 5
    begin = ring.number_at(20 + away - 8)
    assert ring.slice(begin, most_bytes=1).packets[0].received == 20 + away


def test_what_was_before_a_short_outage_is_kept() -> None:
    ring = PacketRing(seconds=15)
    ring.begin(FORMAT)
    feed(ring, 20)
    ring.begin(FORMAT)
    feed(ring, 4, start=28)
    assert 15 <= ring.seconds <= 17


def test_a_camera_of_few_pictures_keeps_its_past() -> None:
    ring = PacketRing(seconds=5)
    ring.begin(FORMAT)
    for second in range(60):
        ring.add(RingPacket(b"key", second * 90_000, True, float(second)))
    assert 5 <= ring.seconds <= 6
