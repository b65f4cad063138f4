"""The recorder of a camera: what a match and a request become, in which pieces, and how it ends."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures_packets import bar, packets_of, pictures_in
from fixtures_recordings import write_recording

from gateway.clock import Clock, SystemClock
from gateway.settings import EvidenceSettings, VisionSettings
from gateway.streams import PacketRing
from gateway.vision.child import Outlet
from gateway.vision.video.clips import ClipRecorder
from gateway.wire import CLIP_PIECE_BYTES, ChannelClosedError, ClipPiece, ClipRequest, EvidencePicture, Message, Report


class Parent(Outlet):
    """Takes pieces, or is gone from one on."""

    def __init__(self, gone_after: int = 1000) -> None:
        self.pieces: list[ClipPiece] = []
        self.over = threading.Event()
        self.first = threading.Event()
        self._gone_after = gone_after

    def post_behind(self, message: Message) -> None:
        if len(self.pieces) >= self._gone_after:
            self.over.set()
            raise ChannelClosedError("the other side of the channel is gone")
        assert isinstance(message, ClipPiece)
        self.pieces.append(message)
        self.first.set()
        if message.last:
            self.over.set()

    def of(self, evidence: str) -> list[ClipPiece]:
        return [piece for piece in self.pieces if piece.evidence == evidence]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("clips") / "plain.mp4")


def fill(ring: PacketRing, recording: Path, clock: Clock, *, close: bool = True) -> None:
    """All two seconds of the recording have just come."""
    stream_format, packets = packets_of(recording)
    ring.begin(stream_format)
    for packet in packets:
        ring.add(replace(packet, received=clock.monotonic() - 2 + packet.received))
    if close:
        ring.close()


Make = Callable[..., tuple[ClipRecorder, Parent]]


@pytest.fixture
def make(recording: Path) -> Make:
    def made(*, before: float = 10, after: float = 0, close: bool = True, **parent: int) -> tuple[ClipRecorder, Parent]:
        clock, outlet = SystemClock(), Parent(**parent)
        settings = EvidenceSettings(clip_before_seconds=before, clip_after_seconds=after)
        recorder = ClipRecorder("cam-01", VisionSettings(), settings, outlet, clock)
        assert recorder.ring is not None
        fill(recorder.ring, recording, clock, close=close)
        return recorder, outlet

    return made


def picture(person: str = "p-1") -> EvidencePicture:
    return EvidencePicture(evidence="crop", event="match-1", camera="cam-01", person=person, kind="crop", jpeg=b"")


def test_a_match_becomes_a_clip_under_its_event_and_person(make: Make) -> None:
    recorder, parent = make()
    recorder.follow((Report(event=b""), picture()))
    assert parent.over.wait(20)
    assert {(piece.event, piece.person, piece.camera) for piece in parent.pieces} == {("match-1", "p-1", "cam-01")}
    assert [piece.number for piece in parent.pieces] == list(range(len(parent.pieces)))
    assert len({piece.evidence for piece in parent.pieces} - {"crop"}) == 1
    assert [piece.last for piece in parent.pieces] == [False] * (len(parent.pieces) - 1) + [True]
    pictures = pictures_in(b"".join(piece.data for piece in parent.pieces))
    assert [bar(each) for each in pictures] == list(range(50))
    assert not parent.pieces[-1].cut_short
    assert parent.pieces[-1].seconds == pytest.approx(2.0, abs=0.1)


def test_who_matched_nobody_leaves_no_clip(make: Make) -> None:
    recorder, parent = make()
    recorder.follow((Report(event=b""), picture(person="")))
    recorder.follow(())
    assert not recorder._threads
    assert not parent.pieces


def test_a_request_has_its_own_id_and_nobody(make: Make) -> None:
    recorder, parent = make(before=1.0, after=20)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01", ago_seconds=0.5))
    assert parent.over.wait(20)
    assert {(piece.evidence, piece.event, piece.person) for piece in parent.pieces} == {("e-1", "press-1", "")}
    assert parent.pieces[-1].cut_short, "the stream ended long before the clip"
    # 1.5 s before the end of two seconds; a keyframe each 0.4 s.
    assert bar(pictures_in(b"".join(piece.data for piece in parent.pieces))[0]) == 10


def test_large_fragments_cross_in_bounded_pieces_and_say_where_they_end(make: Make) -> None:
    recorder, parent = make()
    assert recorder.ring is not None
    recorder.ring._groups[0][0] = replace(recorder.ring._groups[0][0], data=b"\0\0\1\x09" + bytes([7]) * 700_000)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(20)
    assert all(len(piece.data) <= CLIP_PIECE_BYTES for piece in parent.pieces)
    assert [piece.whole for piece in parent.pieces[:3]] == [False, False, True]


def test_stopping_ends_clips_with_what_there_is(make: Make) -> None:
    recorder, parent = make(after=300, close=False)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.first.wait(20)
    recorder.stop()
    assert parent.pieces[-1].last
    assert parent.pieces[-1].cut_short
    assert len(pictures_in(b"".join(piece.data for piece in parent.pieces))) == 49, "the newest may get another slice"


def test_only_a_few_clips_are_recorded_at_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    recorder, parent = make(after=300, close=False)
    for number in range(7):
        recorder.record(ClipRequest(evidence=f"e-{number}", event="press-1", camera="cam-01"))
    assert "no further one" in caplog.text
    recorder.stop()
    assert {piece.evidence for piece in parent.pieces} == {"e-0", "e-1", "e-2", "e-3"}


def test_a_parent_that_is_gone_ends_the_clip_quietly(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    recorder, parent = make(gone_after=0)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(20)
    recorder.stop()
    assert not caplog.records


def test_without_seconds_there_is_no_ring_and_no_clip() -> None:
    settings = EvidenceSettings(clip_before_seconds=0, clip_after_seconds=0)
    recorder = ClipRecorder("cam-01", VisionSettings(), settings, Parent(), SystemClock())
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert recorder.ring is None
    assert not recorder._threads
