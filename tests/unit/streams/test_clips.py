"""Clips: every picture of the stream decodes, whatever the packets' times are like."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures_packets import bar, first_without_time, packets_of, pictures_in, slices_apart, unchanged
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams import PacketRing, RingPacket
from gateway.streams.remux import presentation_times

Change = Callable[[list[RingPacket]], list[RingPacket]]


@pytest.mark.parametrize("name", ["plain", "with_b_frames", "with_slices"])
@pytest.mark.parametrize("change", [unchanged, first_without_time, slices_apart])
def test_every_picture_of_the_clip_decodes_in_order(name: str, change: Change, request: pytest.FixtureRequest) -> None:
    stream_format, packets = packets_of(request.getfixturevalue(name))
    ring = PacketRing()
    ring.begin(stream_format)
    for packet in change(packets):
        ring.add(packet)
    clip = ring.clip(100)
    pictures = pictures_in(clip.mp4)
    assert clip.pictures == len(pictures) == 50
    assert [bar(picture) for picture in pictures] == list(range(50))
    times = [float(picture.time) for picture in pictures]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([0.04] * 49)


def test_a_clip_begins_at_the_keyframe_before_the_moment_and_ends_with_it(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    ring = PacketRing()
    ring.begin(stream_format)
    for packet in packets:
        ring.add(packet)
    # A keyframe each 0.4 s; 1.5 - 0.9 = 0.6 lies in the group that begins at 0.4.
    clip = ring.clip(0.9, at=1.5)
    assert [clip.begins, clip.ends] == pytest.approx([0.4, 1.48])
    assert [bar(picture) for picture in pictures_in(clip.mp4)] == list(range(10, 38))


def test_parameter_sets_from_outside_the_stream_are_put_in(plain: Path) -> None:
    stream_format, packets = packets_of(plain)
    sets, bare = _without_parameter_sets(packets[0].data)
    assert sets
    ring = PacketRing()
    ring.begin(replace(stream_format, parameter_sets=sets))
    ring.add(replace(packets[0], data=bare))
    for packet in packets[1:10]:
        ring.add(packet)
    assert len(pictures_in(ring.clip(100).mp4)) == 10


def _without_parameter_sets(data: bytes) -> tuple[bytes, bytes]:
    units = [b"\0\0\0\1" + unit for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]
    sets = b"".join(unit for unit in units if unit[4] & 31 in {7, 8})
    return sets, b"".join(unit for unit in units if unit[4] & 31 not in {7, 8})


@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=60),
    st.integers(1, 90000),
)
def test_times_always_suit_a_muxer(given_pts: list[int | None], step: int) -> None:
    times = presentation_times(given_pts, step)
    assert len(times) == len(given_pts)
    decoded = [dts for _, dts in times]
    assert all(earlier < later for earlier, later in itertools.pairwise(decoded))
    assert all(pts >= dts for pts, dts in times)
    assert len({pts for pts, _ in times}) == len(times)
    assert not times or decoded[0] == 0


def test_the_order_of_b_frames_is_kept() -> None:
    # I P B B P B B, the first without a time, as it comes from a camera.
    times = presentation_times([None, 3, 1, 2, 6, 4, 5], 1)
    assert [pts - times[0][0] for pts, _ in times] == [0, 3, 1, 2, 6, 4, 5]
