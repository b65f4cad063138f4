"""What of a still scene is left out, and that nobody who is in view long enough slips through, whatever sizes say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from gateway.streams import Frame
from gateway.streams.groups import GroupLengths
from gateway.streams.saver import Saver, VideoPacket
from gateway.streams.sparing import RestSwitch, SizeWatch, Sparing

FPS = 25
QUIET = 400
NOISY, SILENT = 5000, 100


def packet_of(number: int, size: int, *, keyframe: bool) -> VideoPacket:
    packet = cast("VideoPacket", av.Packet(bytes(size)))
    packet.pts = packet.dts = number
    packet.time_base, packet.is_keyframe = Fraction(1, FPS), keyframe
    return packet


@dataclass
class Yard:
    """A scene of packets, of which the decoder makes pictures that only tell their number.

    Attributes:
        keyframes: which pictures are; `passage`: in which somebody is in view.
        size: bytes of a picture that is no keyframe.
    """

    keyframes: Callable[[int], bool]
    passage: range = range(0)
    size: Callable[[int], int] = lambda _number: NOISY
    seen: list[int] = field(default_factory=list)
    decoded: int = 0
    rested: int = 0

    def play(self, pictures: int, *, stirs: range = range(0), each_fifth: bool = False) -> "Yard":
        """What a looker sees who lets the scene rest unless somebody is in view, and calls for an end in `stirs`.

        With `each_fifth` it looks at every fifth picture only, as at five looks a second, and at what is made up for.
        """
        switch, numbers = RestSwitch(), {}
        blank = np.zeros((16, 16), np.uint8)

        def decode(packet: VideoPacket) -> tuple[list[VideoFrame], float]:
            self.decoded += 1
            picture = VideoFrame.from_ndarray(blank, format="gray")
            numbers[id(picture)] = (int(packet.pts or 0), picture)
            return [picture], 0.0

        def number_of(picture: VideoFrame) -> int:
            return numbers[id(picture)][0]

        def moved(frame: Frame) -> bool:
            return number_of(frame._picture) in self.passage

        saver = Saver(Sparing(moved, shortest_seconds=1.0), switch, decode)
        lively_until = 0
        for packet in self._packets(pictures):
            for made in saver.take(packet, int(packet.pts or 0) / FPS):
                self.rested += made.resting
                if made.picture is None:
                    continue
                number = number_of(made.picture)
                if each_fifth and not made.backlog and number % 5 != 2:
                    continue
                self.seen.append(number)
                if number in self.passage or number in stirs:
                    lively_until = number + 50
                switch.ask(rest=number >= lively_until)
        return self

    def _packets(self, pictures: int) -> Iterator[VideoPacket]:
        noise = np.random.default_rng(2)
        for number in range(pictures):
            keyframe = self.keyframes(number)
            size = 40_000 if keyframe else self.size(number)
            yield packet_of(number, int(size * np.exp(noise.normal(0, 0.05))), keyframe=keyframe)

    @property
    def found(self) -> bool:
        return any(number in self.passage for number in self.seen)


def each(group: int) -> Callable[[int], bool]:
    return lambda number: number % group == 0


@pytest.mark.parametrize("group", [12, 25, 50, 75, 100, 250])
def test_whoever_is_in_view_for_the_shortest_time_is_seen_at_every_phase(group: int) -> None:
    begin = -(-QUIET // group) * group
    for phase in sorted({*range(0, group, 9), *range(max(0, group - FPS - 3), group)}):
        passage = range(begin + phase, begin + phase + FPS)
        yard = Yard(each(group), passage).play(begin + 2 * group + FPS, each_fifth=True)
        assert yard.found, f"phase {phase}"


@pytest.mark.parametrize(("group", "share"), [(12, 0.1), (25, 0.15), (50, 0.6), (75, 0.75)])
def test_no_more_is_decoded_than_that_takes(group: int, share: float) -> None:
    still = Yard(each(group)).play(20 * group + QUIET)
    before = Yard(each(group)).play(QUIET)
    assert (still.decoded - before.decoded) / (20 * group) <= share


def test_what_was_left_out_is_handed_over_in_order_and_once() -> None:
    yard = Yard(each(50), range(430, 470)).play(600)
    assert yard.rested
    assert yard.seen == sorted(set(yard.seen))
    during = [number for number in yard.seen if 430 <= number < 470]
    assert max(later - earlier for earlier, later in zip([430, *during], during, strict=False)) <= 6


def test_a_long_group_of_a_noisy_scene_is_decoded_on() -> None:
    yard = Yard(each(250)).play(2000)
    assert (yard.rested, yard.decoded) == (0, 2000)


def test_a_long_group_of_a_silent_encoder_rests_and_its_sizes_tell_who_comes() -> None:
    passage = range(1310, 1360)
    yard = Yard(each(250), passage, lambda number: SILENT * (5 if number in passage else 1)).play(1500)
    assert yard.rested > 600
    assert min(number for number in yard.seen if number in passage) <= passage.start + 6


def test_a_group_that_outlasts_those_before_it_is_decoded() -> None:
    def keyframes(number: int) -> bool:
        return number % 50 == 0 and not 400 < number < 600

    passage = range(452, 477)
    yard = Yard(keyframes, passage).play(700)
    assert yard.rested
    assert yard.found
    assert all(number in yard.seen for number in range(500, 550))


def test_a_looker_who_sees_something_ends_the_rest() -> None:
    calm = Yard(each(50)).play(600)
    stirred = Yard(each(50)).play(600, stirs=range(505, 510))
    assert set(range(530, 550)) - set(calm.seen)
    assert set(range(530, 550)) <= set(stirred.seen)


def test_a_scene_that_gets_noisy_while_it_rests_is_decoded_again() -> None:
    yard = Yard(each(250), size=lambda number: SILENT if number < 1000 else NOISY).play(2500)
    assert 1200 in Yard(each(250), size=lambda _number: NOISY).play(1500).seen
    assert set(range(1500, 2500)) <= set(yard.seen)


def test_sizes_that_did_not_show_somebody_are_not_believed() -> None:
    watch = SizeWatch()

    def feed(size: int, *, somebody: bool) -> None:
        for number in range(200):
            watch.note(40_000 if number % 50 == 0 else size, keyframe=number % 50 == 0, somebody=somebody)

    feed(SILENT, somebody=False)
    watch.begin()
    assert watch.tells
    feed(5 * SILENT, somebody=True)
    assert watch.tells
    feed(SILENT, somebody=True)
    assert not watch.tells


def test_nobody_rests_while_a_face_is_followed() -> None:
    switch = RestSwitch()
    switch.ask(rest=True, somebody=True)
    assert not switch.begin()
    switch.ask(rest=True)
    assert switch.begin()
    switch.ask(rest=True)
    assert not switch.stirred
    switch.ask(rest=True, somebody=True)
    assert switch.stirred


def test_a_groups_length_is_reckoned_in_pictures_at_the_streams_own_pace() -> None:
    groups = GroupLengths(1.0)
    for number in range(0, 100):
        groups.note(number / 10, keyframe=number % 20 == 0)
    assert groups.known
    assert groups.head == 20 - 10 + 2
    assert groups.worth_resting
    assert not groups.is_late
    for number in range(100, 104):
        groups.note(number / 10, keyframe=False)
    assert groups.is_late
