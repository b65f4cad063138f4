"""What a clip says of what is missing of it: at its beginning, within, at its end."""

import threading
from collections.abc import Iterable
from dataclasses import replace

import pytest
from fixtures_packets import packets_of, pictures_in
from fixtures_recordings import write_recording

from gateway.streams import ClipFollower, PacketRing, RingPacket, StreamFormat


class NoWait(threading.Event):
    """Nobody stops a clip, and it waits for nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        return False


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[StreamFormat, list[RingPacket]]:
    """Two seconds at 25 pictures a second, a keyframe each 0.4 s; received at 0 to 1.96 s."""
    return packets_of(write_recording(tmp_path_factory.mktemp("clips") / "plain.mp4"))


def follower(ring: PacketRing, *, before: float, after: float, at: float = 1.0, now: float = 1000.0) -> ClipFollower:
    return ClipFollower(ring, at=at, before=before, after=after, stop=NoWait(), now=lambda: now)


def ring_of(stream_format: StreamFormat, packets: Iterable[RingPacket], **bounds: float) -> PacketRing:
    ring = PacketRing(**bounds)  # type: ignore[arg-type]  # seconds and bytes
    ring.begin(stream_format)
    for packet in packets:
        ring.add(packet)
    return ring


def later(packets: Iterable[RingPacket], seconds: float) -> list[RingPacket]:
    return [replace(each, received=each.received + seconds, pts=None) for each in packets]


@pytest.mark.parametrize(("before", "late"), [(0.5, 0), (1.0, 0), (1.4, 0), (1.6, 0.6), (10.0, 9.0)], ids=str)
def test_a_past_that_the_ring_does_not_hold_is_missing(
    recorded: tuple[StreamFormat, list[RingPacket]], before: float, late: float
) -> None:
    ring = ring_of(*recorded)
    clip = follower(ring, before=before, after=0.5)
    assert list(clip.fragments())
    assert clip.late_seconds == pytest.approx(late)
    assert clip.complete is not bool(late)


def test_a_ring_that_is_too_small_begins_late(recorded: tuple[StreamFormat, list[RingPacket]]) -> None:
    stream_format, packets = recorded
    ring = ring_of(stream_format, packets, max_bytes=sum(len(each.data) for each in packets[-20:]))
    clip = follower(ring, before=1.9, after=0, at=1.96)
    list(clip.fragments())
    assert clip.late_seconds > 0.5
    assert not clip.complete


def test_what_the_ring_dropped_before_it_was_taken_is_missing_within(
    recorded: tuple[StreamFormat, list[RingPacket]],
) -> None:
    stream_format, packets = recorded
    ring = ring_of(stream_format, packets, seconds=1.0)
    clip = follower(ring, before=0.4, after=4, at=1.9, now=2.0)
    fragments = clip.fragments()
    pieces = [next(fragments)]
    for packet in (*later(packets, 2.0), *later(packets, 4.0)):
        ring.add(packet)
    pieces += fragments
    assert clip.lost_seconds == pytest.approx(2.9, abs=0.5)
    assert clip.late_seconds == 0
    assert not clip.complete
    assert pictures_in(b"".join(piece.mp4 for piece in pieces))


def test_a_camera_that_was_away_leaves_a_hole(recorded: tuple[StreamFormat, list[RingPacket]]) -> None:
    stream_format, packets = recorded
    ring = ring_of(stream_format, [*packets, *later(packets, 7.0)], seconds=60)
    clip = follower(ring, before=1.0, after=7)
    list(clip.fragments())
    assert clip.lost_seconds == pytest.approx(5.04)
    assert not clip.complete


def test_a_camera_that_is_away_at_the_end_is_counted_up_to_there(
    recorded: tuple[StreamFormat, list[RingPacket]],
) -> None:
    stream_format, packets = recorded
    ring = ring_of(stream_format, [*packets, *later(packets, 60.0)], seconds=600)
    clip = follower(ring, before=1.0, after=9)
    list(clip.fragments())
    assert clip.lost_seconds == pytest.approx(10 - 1.96)
    assert (clip.begins, clip.ends) == (0, 10)
    assert not clip.complete


def test_pictures_that_the_camera_left_out_are_missing_though_it_sends_without_a_pause(
    recorded: tuple[StreamFormat, list[RingPacket]],
) -> None:
    """Its link fell behind; to catch up it left out five seconds."""
    stream_format, packets = recorded
    left_out = round(5 / stream_format.time_base)
    step = (packets[1].pts or 0) - (packets[0].pts or 0)
    rest = [
        replace(each, received=each.received + 2.0, pts=left_out + step * (50 + number))
        for number, each in enumerate(packets)
    ]
    ring = ring_of(stream_format, [*packets, *rest], seconds=60)
    clip = follower(ring, before=1.0, after=3)
    list(clip.fragments())
    assert clip.lost_seconds == pytest.approx(5.04)
    assert not clip.complete


def test_pictures_out_of_order_miss_nothing(recorded: tuple[StreamFormat, list[RingPacket]]) -> None:
    stream_format, packets = recorded
    swapped = [replace(each, pts=packets[number ^ 1].pts) for number, each in enumerate(packets)]
    clip = follower(ring_of(stream_format, [packets[0], *swapped[2:]]), before=0.9, after=0.9)
    list(clip.fragments())
    assert (clip.lost_seconds, clip.complete) == (0, True)


def test_slow_cameras_miss_nothing(recorded: tuple[StreamFormat, list[RingPacket]]) -> None:
    stream_format, packets = recorded
    ring = ring_of(stream_format, [replace(each, received=2.0 * n) for n, each in enumerate(packets)], seconds=600)
    clip = follower(ring, before=20, after=20, at=50)
    list(clip.fragments())
    assert (clip.late_seconds, clip.lost_seconds, clip.complete) == (0, 0, True)
