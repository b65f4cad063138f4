"""The ring begins at a keyframe and keeps its bounds."""

import threading
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


def test_a_new_session_drops_what_has_other_times() -> None:
    ring = PacketRing()
    ring.begin(FORMAT)
    feed(ring, 2)
    ring.begin(FORMAT)
    assert ring.size == 0


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
