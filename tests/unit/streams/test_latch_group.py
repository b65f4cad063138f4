"""What a latch holds back: the group of pictures at hand, also where all keyframes have one time."""

from fractions import Fraction
from typing import cast

import av
import pytest
from av.video.frame import VideoFrame

from gateway.streams import LatchSwitch
from gateway.streams.latch import Latch
from gateway.streams.saver import VideoPacket


def packet(pts: int | None, *, keyframe: bool) -> VideoPacket:
    made = cast("VideoPacket", av.Packet(b"data"))
    made.pts, made.time_base, made.is_keyframe = pts, Fraction(1, 90000), keyframe
    return made


@pytest.mark.parametrize(
    "times", [(0, 9000), (0, 0), (None, None)], ids=["a clock that goes", "one that stands still", "no clock"]
)
def test_a_keyframe_begins_the_group_anew(times: tuple[int | None, int | None]) -> None:
    decoded: list[VideoPacket] = []

    def decode(each: VideoPacket) -> tuple[list[VideoFrame], float]:
        decoded.append(each)
        return [], 0.0

    switch = LatchSwitch()
    latch = Latch(switch, decode)
    list(latch.take(packet(times[0], keyframe=True), 0.0))
    list(latch.take(packet(times[0], keyframe=False), 1.0))
    switch.want(pictures=True)
    list(latch.take(packet(times[1], keyframe=True), 2.0))
    assert len(decoded) == 1


def test_the_slices_of_a_keyframe_are_of_one_group() -> None:
    decoded: list[VideoPacket] = []

    def decode(each: VideoPacket) -> tuple[list[VideoFrame], float]:
        decoded.append(each)
        return [], 0.0

    switch = LatchSwitch()
    latch = Latch(switch, decode)
    for number in range(3):
        list(latch.take(packet(0, keyframe=True), number / 1000))
    switch.want(pictures=True)
    list(latch.take(packet(0, keyframe=True), 0.003))
    assert len(decoded) == 4
