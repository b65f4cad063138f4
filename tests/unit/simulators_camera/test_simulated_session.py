"""One client's stream: what is sent, reported and left out."""

import pytest

from gateway.simulators.camera.nal import H264
from gateway.simulators.camera.playback import Picture, Playback, Scene, Viewer
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.recording import AccessUnit, Recording
from gateway.simulators.camera.rtsp import session as session_module
from gateway.simulators.camera.rtsp.session import StreamSession

UNIT = AccessUnit((b"\x65x",), 0.0, 0.0, keyframe=True)
RECORDING = Recording((UNIT,), H264, (b"\x67abc", b"\x68"), 64, 48, 25.0, 0.04)


class Pipe:
    """A channel that keeps what is sent and can be made full."""

    transport_header = ""

    def __init__(self) -> None:
        self.backlog = 0
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.closed = False

    def send_rtp(self, packets: list[bytes]) -> None:
        self.rtp += packets

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def close(self) -> None:
        self.closed = True


class Idle(Playback):
    """A playback that shows nothing by itself."""

    def __init__(self) -> None:
        super().__init__(RECORDING, Scene(), loop=True)

    def attach(self, viewer: Viewer) -> None:
        self._viewers.append(viewer)


class Time:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(session_module, "time", moved)
    return moved


def _picture(*, keyframe: bool = False) -> Picture:
    return Picture((b"\x41data",), 0, 1_700_000_000.0, keyframe)


def _session(pipe: Pipe, *quirks: str) -> tuple[StreamSession, list[str]]:
    hung_up: list[str] = []
    session = StreamSession(Idle(), pipe, Quirks.parse(quirks), lambda: hung_up.append("hung up"))
    session.play()
    return session, hung_up


def test_a_report_goes_with_the_first_picture_and_every_five_seconds(clock: Time) -> None:
    pipe = Pipe()
    session, _ = _session(pipe)
    for _ in range(11):
        session.show(_picture())
        clock.now += 1.0

    assert (len(pipe.rtp), len(pipe.rtcp)) == (11, 3)


def test_a_client_that_does_not_read_loses_pictures_up_to_the_next_keyframe(clock: Time) -> None:
    pipe = Pipe()
    session, _ = _session(pipe)
    session.show(_picture(keyframe=True))
    pipe.backlog = 100 * 1024 * 1024
    session.show(_picture())
    session.show(_picture(keyframe=True))
    pipe.backlog = 0
    session.show(_picture())
    assert len(pipe.rtp) == 1
    session.show(_picture(keyframe=True))
    session.show(_picture())
    assert len(pipe.rtp) == 3


def test_a_stall_stops_pictures_and_not_reports(clock: Time) -> None:
    pipe = Pipe()
    session, hung_up = _session(pipe, "stall=2")
    for _ in range(21):
        session.show(_picture(keyframe=True))
        clock.now += 1.0

    assert (len(pipe.rtp), len(pipe.rtcp), hung_up) == (2, 5, [])


def test_a_dying_stream_hangs_up(clock: Time) -> None:
    pipe = Pipe()
    session, hung_up = _session(pipe, "stream-dies=2")
    for _ in range(3):
        session.show(_picture(keyframe=True))
        clock.now += 1.0

    assert (len(pipe.rtp), hung_up) == (2, ["hung up"])


def test_the_end_is_said_and_closing_frees_the_channel(clock: Time) -> None:
    pipe = Pipe()
    session, hung_up = _session(pipe)
    session.show(_picture(keyframe=True))
    session.end()
    session.close()

    assert pipe.rtcp[-1][-7] == 203
    assert (hung_up, pipe.closed, session.is_playing) == (["hung up"], True, False)
