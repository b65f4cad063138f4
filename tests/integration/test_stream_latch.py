"""A main stream behind its latch: nothing is decoded until somebody wants pictures, and then they are of now."""

import time
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures_recordings import write_recording
from scene_player import gallery_of
from vision_bench import built, passages, yunet_file

from gateway.clock import SystemClock
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame, LatchSwitch, PacketRing, StreamSource, VideoStream
from gateway.streams.frame import Converter
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.video.looker import Looker
from gateway.vision.video.main_stream import MainStream
from gateway.vision.video.passers import Match


def test_nothing_is_decoded_until_pictures_are_wanted_and_then_the_newest_is_there(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "main.mp4", frames=200, group=50)
    latch, ring = LatchSwitch(), PacketRing(seconds=30)
    with VideoStream(StreamSource(url=recording.as_uri()), clock=SystemClock(), latch=latch, ring=ring) as stream:
        assert stream.next(1.0) is None
        assert (stream.counters.seen, stream.counters.rested > 10) == (0, True)
        latch.want(pictures=True)
        first = stream.next(5)
        assert isinstance(first, Frame)
        assert bar_of(first) == pytest.approx(first.seconds * 25 % 180, abs=6) or first.number == 1
        kept = ring.seconds
        assert kept > 0.8
        for _ in range(5):
            assert isinstance(stream.next(5), Frame)
        latch.want(pictures=False)
        time.sleep(0.3)
        decoded = stream.counters.seen
        time.sleep(0.4)
        assert stream.counters.seen == decoded


def bar_of(frame: Frame) -> float:
    """Where the recording's bar is: the number of its picture."""
    bright = frame.luma()[50] > 120
    return float(np.flatnonzero(bright)[0]) if bright.any() else -1.0


def test_a_picture_of_another_moment_is_not_cut_from(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "main.mp4", frames=100, group=25)
    main = MainStream(StreamSource(url=recording.as_uri()), SystemClock(), "cam-01")
    main.start()
    try:
        main.want(pictures=True)
        now = wait_for_picture(main)
        assert main.near(now) is not None
        assert main.near(Frame.from_rgb(now.rgb(), received=now.received + 10)) is None
        main.want(pictures=False)
        assert main.near(Frame.from_rgb(now.rgb(), received=time.monotonic() + 5)) is None
    finally:
        main.stop()


def wait_for_picture(main: MainStream) -> Frame:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = main.near(Frame.from_rgb(np.zeros((9, 16, 3), np.uint8), received=time.monotonic()))
        if found is not None:
            return found
        time.sleep(0.05)
    pytest.fail("no picture of the main stream came")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> FaceTools:
    return open_tools(
        MatchingSettings(detector_model=yunet_file()), tmp_path_factory.mktemp("graphs"), longest_side=640
    )


def frames_of(name: str, numbers: range) -> dict[int, Frame]:
    converter, found = Converter(), {}
    with av.open(str(built(name))) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number in numbers:
                width, height = picture.width, picture.height
                found[number] = Frame(number / 25, number / 25, number, width, height, picture, converter)
            if number >= numbers.stop:
                break
    return found


def warned(tools: FaceTools, sub: dict[int, Frame], main: dict[int, Frame]) -> list[Match]:
    looker = Looker("cam-01", tools, VisionSettings(), MatchingSettings())
    gallery = gallery_of(tools, "obama")
    found: list[Match] = []
    for number, frame in sub.items():
        at_hand = main.get(number) if looker.wants_main else None
        found += looker.look(frame, gallery, at_hand)
    return [*found, *looker.finish(gallery)]


def test_faces_are_found_in_the_sub_stream_and_cut_from_the_main_one(tools: FaceTools) -> None:
    numbers = range(285, 421, 5)
    sub = frames_of("gate-640x360.mp4", numbers)
    (alone,) = warned(tools, sub, {})
    (both,) = warned(tools, sub, frames_of("gate-1280x720.mp4", numbers))
    assert both.decision.person == alone.decision.person == "obama"
    # In the larger picture the same face is recognised farther away.
    assert both.shot.at < alone.shot.at
    boxes = next(each for each in passages("gate-640x360") if each["portrait"] == "obama3")["boxes"]
    assert isinstance(boxes, dict)
    assert both.shot.quality.height_px > 1.5 * boxes[str(round(both.shot.at * 25))][3]
