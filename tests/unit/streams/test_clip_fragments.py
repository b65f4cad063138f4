"""Clips in pieces: whatever was written before the end plays to its last picture."""

import io
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from fixtures_packets import bar, first_without_time, packets_of, pictures_in, slices_apart
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PermanentError
from gateway.streams import ClipFollower, ClipFragment, PacketRing, RingPacket, StreamFormat
from gateway.streams.fragments import FragmentWriter
from gateway.streams.nal import with_lengths

Change = Callable[[list[RingPacket]], list[RingPacket]]
RECORDINGS = ["plain", "with_b_frames", "with_slices"]


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def pieces_of(stream_format: StreamFormat, packets: list[RingPacket], each: int) -> list[bytes]:
    writer = FragmentWriter(stream_format)
    made = []
    for begin in range(0, len(packets), each):
        writer.add(packets[begin : begin + each])
        if begin or each >= 16:
            made.append(writer.cut())
    return [piece for piece in [*made, writer.cut(last=True)] if piece]


@pytest.mark.parametrize("recording", RECORDINGS, indirect=True)
@pytest.mark.parametrize("each", [17, 100])
def test_every_picture_of_the_pieces_decodes_in_order(recording: Path, each: int) -> None:
    stream_format, packets = packets_of(recording)
    mp4 = b"".join(pieces_of(stream_format, packets, each))
    pictures = pictures_in(mp4)
    assert [bar(picture) for picture in pictures] == list(range(50))
    times = [float(picture.time) for picture in pictures if picture.time is not None]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([0.04] * 49, abs=1e-4)


@pytest.mark.parametrize("recording", RECORDINGS, indirect=True)
@pytest.mark.parametrize("each", [7, 13])
def test_any_beginning_of_whole_pieces_plays_to_its_last_picture(recording: Path, each: int) -> None:
    stream_format, packets = packets_of(recording)
    pieces = pieces_of(stream_format, packets, each)
    assert len(pieces) > 2
    seen = 0
    for count in range(1, len(pieces) + 1):
        numbers = [bar(picture) for picture in pictures_in(b"".join(pieces[:count]))]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > seen
        seen = len(numbers)
    assert seen == 50


@pytest.mark.parametrize("recording", RECORDINGS, indirect=True)
def test_the_header_tells_a_browser_how_to_decode(recording: Path) -> None:
    stream_format, packets = packets_of(recording)
    first = pieces_of(stream_format, packets, 20)[0]
    assert first[4:8] == b"ftyp"
    begin = first.index(b"avcC") + 4
    assert first[begin] == 1
    assert first[begin + 4] & 3 == 3, "lengths have four bytes"
    assert first[begin + 5] & 31 == 1, "one SPS"


def test_a_codec_that_has_no_clips_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"mjpeg.*H\.264"):
        FragmentWriter(StreamFormat("mjpeg", 192, 108, Fraction(1, 90000)))


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.one_of(st.none(), st.integers(0, 2**30)), min_size=1, max_size=120), each=st.integers(1, 40))
def test_whatever_the_times_are_pieces_are_whole_and_nothing_is_held_back(
    times: list[int | None], each: int, plain_packets: tuple[StreamFormat, list[RingPacket]]
) -> None:
    stream_format, packets = plain_packets
    given_packets = [replace(packets[index % 50], pts=pts) for index, pts in enumerate(times)]
    writer = FragmentWriter(replace(stream_format, time_base=Fraction(1, 90000)))
    mp4 = b""
    for begin in range(0, len(given_packets), each):
        writer.add(given_packets[begin : begin + each])
        mp4 += writer.cut()
        assert writer.waiting <= each + 33
    mp4 += writer.cut(last=True)
    with av.open(io.BytesIO(mp4), "r") as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
    assert len(found) == len(times)
    decoded = [packet.dts for packet in found if packet.dts is not None]
    assert decoded == sorted(set(decoded))
    assert all(packet.pts is not None and packet.dts is not None and packet.pts >= packet.dts for packet in found)


@pytest.fixture(scope="session")
def plain_packets(plain: Path) -> tuple[StreamFormat, list[RingPacket]]:
    return packets_of(plain)


def test_start_codes_become_lengths() -> None:
    assert with_lengths(b"\0\0\0\1ab\0\0\1c\0\0\0\0\1d\0\0") == b"\0\0\0\2ab\0\0\0\1c\0\0\0\1d"
    assert with_lengths(b"") == b""


class Feeder:
    """A camera that sends the recording's packets to a ring as fast as it is asked to, with times as if live."""

    def __init__(self, recording: Path, *, now: float) -> None:
        self.ring = PacketRing()
        self._format, self._packets = packets_of(recording)
        self.ring.begin(self._format)
        self._sent = 0
        self._begun = now

    def send(self, count: int) -> None:
        for packet in self._packets[self._sent : self._sent + count]:
            self.ring.add(replace(packet, received=self._begun + packet.received))
        self._sent += count

    def again(self, stream_format: StreamFormat | None = None) -> None:
        """The connection broke and is there again."""
        self.ring.begin(stream_format or self._format)


def follow(
    feeder: Feeder, at: float, before: float, after: float, clock: float
) -> tuple[ClipFollower, threading.Event]:
    stop = threading.Event()
    return ClipFollower(feeder.ring, at=at, before=before, after=after, stop=stop, now=lambda: clock), stop


def joined(fragments: Iterator[ClipFragment]) -> list[int]:
    return [bar(picture) for picture in pictures_in(b"".join(each.mp4 for each in fragments))]


@pytest.mark.parametrize("change", [first_without_time, slices_apart])
def test_a_clip_of_the_past_begins_at_the_keyframe_before_and_ends_in_time(plain: Path, change: Change) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder._packets = change(feeder._packets)
    feeder.send(200)
    follower, _ = follow(feeder, at=1.0, before=0.5, after=0.5, clock=1.9)
    assert joined(follower.fragments()) == list(range(10, 38))
    assert follower.complete


def test_the_past_is_there_before_the_future_and_what_comes_is_followed(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(25)
    follower, _ = follow(feeder, at=1.0, before=10, after=0.5, clock=1.0)
    fragments = follower.fragments()
    first = next(fragments)
    assert joined(iter([first])) == list(range(23))
    assert first.seconds == pytest.approx(0.92)
    feeder.send(25)
    assert joined(itertools.chain([first], fragments)) == list(range(38))


def test_a_stream_that_ends_leaves_a_clip_of_what_there_was(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(25)
    feeder.ring.close()
    follower, _ = follow(feeder, at=1.0, before=10, after=20, clock=1.0)
    assert joined(follower.fragments()) == list(range(25))
    assert not follower.complete


def test_a_silent_stream_is_not_waited_for_beyond_the_end(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(25)
    follower, _ = follow(feeder, at=1.0, before=10, after=2, clock=6.1)
    assert joined(follower.fragments()) == list(range(24))
    assert not follower.complete


def test_a_broken_connection_is_one_clip_with_a_gap(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(20)
    feeder.again()
    feeder._begun = 3.0
    feeder.send(30)
    feeder.ring.close()
    follower, _ = follow(feeder, at=1.0, before=10, after=20, clock=1.0)
    mp4 = b"".join(each.mp4 for each in follower.fragments())
    times = [float(picture.time) for picture in pictures_in(mp4) if picture.time is not None]
    assert [later - earlier for earlier, later in itertools.pairwise(times)][19] == pytest.approx(3.04, abs=0.01)
    assert len(times) == 50


def test_another_format_ends_the_clip(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(25)
    follower, _ = follow(feeder, at=1.0, before=10, after=20, clock=1.0)
    fragments = follower.fragments()
    first = next(fragments)
    feeder.again(replace(feeder._format, width=640))
    feeder.send(20)
    feeder.ring.close()
    assert joined(itertools.chain([first], fragments)) == list(range(24))
    assert not follower.complete


def test_stop_ends_at_once_with_what_there_is(plain: Path) -> None:
    feeder = Feeder(plain, now=0.0)
    feeder.send(25)
    follower, stop = follow(feeder, at=1.0, before=10, after=20, clock=1.0)
    fragments = follower.fragments()
    first = next(fragments)
    stop.set()
    assert joined(itertools.chain([first], fragments)) == list(range(24))
