"""The recorder of a camera: what a match and a request become, in which pieces, and how it ends."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fixtures_packets import bar, packets_of, pictures_in
from fixtures_recordings import write_recording

from gateway.clock import Clock, SystemClock
from gateway.settings import EvidenceSettings, VisionSettings
from gateway.streams import ClipFollower, PacketRing, RingPacket, StreamFormat
from gateway.vision.child import Outlet
from gateway.vision.video.clips import ClipRecorder
from gateway.vision.video.presence import Presence, Stay
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


def nobody(begin: float, end: float) -> bool:
    assert end >= begin
    return False


Make = Callable[..., tuple[ClipRecorder, Parent]]


@pytest.fixture
def make(recording: Path) -> Make:
    def made(
        *, before: float = 1.9, after: float = 0, close: bool = True, presence: Presence | None = None, **parent: int
    ) -> tuple[ClipRecorder, Parent]:
        clock, outlet = SystemClock(), Parent(**parent)
        settings = EvidenceSettings(clip_before_seconds=before, clip_after_seconds=after)
        strangers = nobody if presence is None else presence.strangers
        recorder = ClipRecorder("cam-01", VisionSettings(), settings, outlet, clock, strangers)
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
    last = parent.pieces[-1]
    assert (last.cut_short, last.late_seconds, last.lost_seconds, last.trouble) == (False, 0, 0, "")
    assert last.seconds == pytest.approx(2.0, abs=0.1)


def test_a_clip_whose_past_is_not_there_says_how_much_is_missing(make: Make) -> None:
    recorder, parent = make(before=10)
    recorder.follow((picture(),))
    assert parent.over.wait(20)
    assert len(pictures_in(b"".join(piece.data for piece in parent.pieces))) == 50
    assert parent.pieces[-1].cut_short
    (late,) = {piece.late_seconds for piece in parent.pieces}
    assert late == pytest.approx(8.0, abs=0.2), "told from the first piece on"


@pytest.mark.parametrize(
    ("stays", "others"),
    [
        ({"p": Stay(-1.5, 0, True)}, False),
        ({"p": Stay(-1.5, 0, True), "q": Stay(-1.0, -0.8, False)}, True),
        ({"p": Stay(-1.5, 0, True), "q": Stay(-9.0, -5.0, False)}, False),
        ({"p": Stay(-1.5, 0, True), "q": Stay(-1.0, -0.8, True)}, False),
    ],
)
def test_a_clip_says_whether_somebody_on_no_list_was_there(make: Make, stays: dict[str, Stay], others: bool) -> None:
    now, presence = SystemClock().monotonic(), Presence()
    for ago in range(60, -1, -10):
        presence.looked(now - ago)
    for passage, stay in stays.items():
        presence.note(passage, Stay(now + stay.first, now + stay.last, stay.listed))
    recorder, parent = make(presence=presence)
    recorder.follow((picture(),))
    assert parent.over.wait(20)
    assert [piece.others for piece in parent.pieces] == [True] * (len(parent.pieces) - 1) + [others]


def test_where_nobody_looked_anybody_may_have_been_there(make: Make) -> None:
    recorder, parent = make(presence=Presence())
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(20)
    assert parent.pieces[-1].others


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


def test_matches_take_no_press_its_clip_and_a_clip_that_is_refused_is_given_up_aloud(make: Make) -> None:
    recorder, parent = make(after=300, close=False)
    refused = [piece for _ in range(6) for piece in recorder.follow((picture(),))]
    assert [(piece.event, piece.person, piece.number, piece.last) for piece in refused] == [
        ("match-1", "p-1", 0, True)
    ] * 2
    requests = [ClipRequest(evidence=f"e-{number}", event="press-1", camera="cam-01") for number in range(9)]
    assert [recorder.record(each) for each in requests[:8]] == [()] * 8
    (last,) = recorder.record(requests[8])
    assert (last.evidence, last.number, last.last, last.data) == ("e-8", 0, True, b"")
    assert "8 clips" in last.trouble
    until(lambda: {f"e-{number}" for number in range(8)} <= {piece.evidence for piece in parent.pieces})
    recorder.stop()
    assert len({piece.evidence for piece in parent.pieces}) == 12


def test_a_slot_is_free_again_when_its_clip_is_over(make: Make) -> None:
    recorder, parent = make()
    for number in range(20):
        assert recorder.record(ClipRequest(evidence=f"e-{number}", event="press-1", camera="cam-01")) == ()
        until(lambda: not any(thread.is_alive() for thread in recorder._threads))
    assert len({piece.evidence for piece in parent.pieces}) == 20


def test_a_stream_of_which_no_clip_can_be_made_is_said(make: Make) -> None:
    recorder, parent = make(close=False)
    assert recorder.ring is not None
    recorder.ring.begin(StreamFormat("mjpeg", 64, 48, Fraction(1, 90000)))
    recorder.ring.add(RingPacket(b"jpeg", 0, True, SystemClock().monotonic()))
    recorder.ring.close()
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(20)
    (piece,) = parent.pieces
    assert (piece.number, piece.last, "mjpeg" in piece.trouble) == (0, True, True)


def test_a_camera_that_sends_no_picture_is_said() -> None:
    parent, settings = Parent(), EvidenceSettings(clip_before_seconds=1, clip_after_seconds=0)
    recorder = ClipRecorder("cam-01", VisionSettings(), settings, parent, SystemClock(), nobody)
    assert recorder.ring is not None
    recorder.ring.close()
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(10)
    (piece,) = parent.pieces
    assert (piece.evidence, piece.number, piece.data) == ("e-1", 0, b"")
    assert (piece.last, piece.cut_short, piece.trouble) == (True, True, "no picture came")


def test_a_clip_that_a_fault_keeps_from_beginning_is_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: ClipFollower) -> None:
        raise ArithmeticError

    monkeypatch.setattr(ClipFollower, "fragments", fail)
    recorder, parent = make()
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01", ago_seconds=0.0))
    assert parent.over.wait(10)
    (piece,) = parent.of("e-1")
    assert (piece.last, piece.cut_short) == (True, True)
    assert "ArithmeticError" in piece.trouble


def until(met: Callable[[], bool]) -> None:
    """The test's own time cap is the limit."""
    while not met():
        time.sleep(0.01)


def test_a_parent_that_is_gone_ends_the_clip_quietly(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    recorder, parent = make(gone_after=0)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert parent.over.wait(20)
    recorder.stop()
    assert not caplog.records


def test_without_seconds_there_is_no_ring_and_no_clip() -> None:
    settings = EvidenceSettings(clip_before_seconds=0, clip_after_seconds=0)
    recorder = ClipRecorder("cam-01", VisionSettings(), settings, Parent(), SystemClock(), nobody)
    recorder.record(ClipRequest(evidence="e-1", event="press-1", camera="cam-01"))
    assert recorder.ring is None
    assert not recorder._threads
