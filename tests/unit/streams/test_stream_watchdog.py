"""A camera whose reader hangs in the library, or whose packets give no pictures, is called lost in time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
from av import VideoFrame

from gateway.clock import ManualClock
from gateway.streams import Frame, LossReason, StreamLost, StreamSource, VideoStream
from gateway.streams import stream as stream_module
from gateway.streams.saver import Decoded

LIVE = StreamSource(url="rtsp://camera.example/live", open_timeout_seconds=5, read_timeout_seconds=8)
OVERDUE, HANGING = 8 + 2, 2 * (8 + 2)


def picture() -> VideoFrame:
    return VideoFrame.from_ndarray(np.zeros((16, 16), np.uint8), format="gray")


@contextmanager
def reading(
    monkeypatch: pytest.MonkeyPatch, clock: ManualClock, pictures: Callable[[], Iterator[Decoded]]
) -> Iterator[VideoStream]:
    """A live stream whose library gives these pictures."""

    class Library:
        codec = "h264"

        def __init__(self, *_wiring: object) -> None:
            self.pictures = pictures

    monkeypatch.setattr(stream_module, "opened", lambda _source, _shown: nullcontext())
    monkeypatch.setattr(stream_module, "Session", Library)
    stream = VideoStream(LIVE, clock=clock)
    stream.start()
    yield stream


def of_reader(stream: VideoStream) -> tuple[bool, bool]:
    """Whether it ended, and whether it hangs."""
    return stream.ended, stream.hangs


def test_a_reader_that_blocks_is_lost_and_then_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, freed = ManualClock(), threading.Event()

    def blocks() -> Iterator[Decoded]:
        yield Decoded(picture(), clock.monotonic())
        freed.wait()

    with reading(monkeypatch, clock, blocks) as stream:
        assert isinstance(stream.next(5), Frame)
        clock.advance(OVERDUE - 0.1)
        assert stream.next(0) is None
        clock.advance(0.2)
        lost = stream.next(0)
        assert isinstance(lost, StreamLost)
        assert lost.reason is LossReason.STALLED
        assert of_reader(stream) == (False, False)
        clock.advance(HANGING - OVERDUE)
        assert of_reader(stream) == (False, True)
        freed.set()
        stream.stop()
        assert of_reader(stream) == (True, False)


def test_packets_without_pictures_are_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()

    def no_pictures() -> Iterator[Decoded]:
        yield Decoded(picture(), clock.monotonic())
        for _ in range(100):
            clock.advance(0.5)
            yield Decoded(None, clock.monotonic())

    with reading(monkeypatch, clock, no_pictures) as stream:
        while not isinstance(found := stream.next(5), StreamLost):
            assert found is not None
        assert found.reason is LossReason.STALLED
        assert not stream.hangs
        stream.stop()


def test_a_reader_that_waits_for_its_next_attempt_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()

    def refused() -> Iterator[Decoded]:
        if clock.monotonic() > 0:
            raise ConnectionRefusedError
        yield Decoded(None, 0.0)

    with reading(monkeypatch, clock, refused) as stream:
        assert isinstance(stream.next(5), StreamLost)
        clock.advance(1000)
        assert not stream.hangs
        stream.stop()
