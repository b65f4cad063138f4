"""The video child's bookkeeping: failing pictures, addresses that are none, streams that are over, latches."""

import asyncio
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from harness.devices_bench import ASSIGNED, Outbox

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.events import CameraFault, CameraLost, CameraRestored, decode
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.streams import Frame, LossReason, StreamLost
from gateway.vision.video import CameraPipeline, VideoRole, own_recording, role
from gateway.vision.video.announcer import Announcer
from gateway.vision.video.pipeline import PipelineKit
from gateway.wire import (
    CameraWithdrawn,
    ChannelClosedError,
    ClipPiece,
    ClipRequest,
    FetchRecording,
    Hello,
    Message,
    PictureRequest,
    Received,
    Report,
    StreamAddress,
)

FRAME = Frame.from_rgb(np.zeros((90, 160, 3), np.uint8))


def _role() -> tuple[VideoRole, Outbox]:
    outbox = Outbox()
    hello = Hello(
        role="video", worker="video-1", site="east", vision=VisionSettings(), matching=MatchingSettings(),
        models_directory="",
    )  # fmt: skip
    made = VideoRole(hello, outbox)  # type: ignore[arg-type]  # an outlet without a channel
    made._kit = SimpleNamespace()  # type: ignore[assignment]  # no models are loaded
    return made, outbox


@dataclass
class Pipeline:
    """Has no picture that can be made smaller."""

    addresses: tuple[str, str] = ("rtsp://127.0.0.1/1", "")
    refused_passwords: int = 0

    def picture(self, width: int) -> bytes:
        raise ValueError(f"no format for {width} px")

    def stop(self) -> None:
        pass


async def test_a_picture_that_nobody_foresaw_is_a_refusal_and_no_end_of_the_child(
    caplog: pytest.LogCaptureFixture,
) -> None:
    video, _ = _role()
    await video.handle(Received(ASSIGNED))
    video._cameras["cam-01"].pipeline = Pipeline()  # type: ignore[assignment]  # as much as is asked of it
    reply = await video.picture(PictureRequest(request=7, camera="cam-01", width=640))
    await video.close()
    assert (reply.request, reply.jpeg, reply.refusal) == (7, b"", "ValueError")
    assert "camera cam-01: its picture" in caplog.text


async def test_an_address_that_cannot_be_opened_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermanentError("this is no address of a stream")

    monkeypatch.setattr(role, "CameraPipeline", refuse)
    video, outbox = _role()
    await video.handle(Received(ASSIGNED))
    for _ in range(2):
        await video.handle(Received(StreamAddress(camera="cam-01", url="http://127.0.0.1/video.mjpg")))
    await video.close()
    events = [decode(each.event) for each in outbox.sent if isinstance(each, Report)]
    assert [each.reason for each in events if isinstance(each, CameraLost)] == ["no_stream_address"]


async def test_a_clip_of_a_camera_that_never_told_its_stream_is_refused_aloud() -> None:
    video, outbox = _role()
    await video.handle(Received(ASSIGNED))
    for camera in ("cam-01", "cam-09"):
        await video.handle(Received(ClipRequest(evidence=f"e-{camera}", event="press-1", camera=camera)))
    await video.close()
    pieces = [each for each in outbox.sent if isinstance(each, ClipPiece)]
    assert [(each.evidence, each.number, each.last, bool(each.trouble)) for each in pieces] == [
        ("e-cam-01", 0, True, True),
        ("e-cam-09", 0, True, True),
    ]


def _order(camera: str) -> Received:
    order = FetchRecording(
        evidence=f"e-{camera}",
        event="press-1",
        camera=camera,
        person="p-1",
        url="rtsp://127.0.0.1:1/r",
        since=1,
        until=2,
    )
    return Received(order)


def _told(outbox: Outbox) -> list[tuple[str, str]]:
    pieces = [each for each in outbox.sent if isinstance(each, ClipPiece)]
    assert all(each.from_camera and each.last and each.person == "p-1" for each in pieces)
    return [(each.camera, each.trouble) for each in pieces]


async def test_no_recording_is_fetched_where_no_camera_is_nor_with_a_password_that_its_stream_refuses() -> None:
    video, outbox = _role()
    await video.handle(Received(ASSIGNED))
    video._cameras["cam-01"].pipeline = Pipeline(refused_passwords=1)  # type: ignore[assignment]  # no stream
    for camera in ("cam-01", "cam-09"):
        await video.handle(_order(camera))
    assert _told(outbox) == [("cam-01", "credentials_wrong"), ("cam-09", "worker_away")]
    await video.close()


async def test_one_recording_of_a_camera_is_fetched_at_once_and_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Endless:
        def __init__(self, order: FetchRecording, *_given: object) -> None:
            self._order = order

        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(self._order.camera)

    monkeypatch.setattr(own_recording, "RecordingFetch", Endless)
    video, outbox = _role()
    await video.handle(Received(ASSIGNED))
    await video.handle(_order("cam-01"))
    await video.handle(_order("cam-01"))
    assert _told(outbox) == [("cam-01", "worker_away")]
    while video._cameras["cam-01"].fetch is None:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    await video.handle(Received(CameraWithdrawn(camera="cam-01")))
    while not ended:
        await asyncio.sleep(0.01)
    await video.close()


async def test_another_password_of_a_user_begins_with_his_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def begin(*given: Any) -> SimpleNamespace:
        begun.append(given[-1])
        return SimpleNamespace(start=lambda: None, stop=lambda: None, ended=True, refused_passwords=3)

    monkeypatch.setattr(role, "CameraPipeline", begin)
    video, _ = _role()
    stream = replace(ASSIGNED, url="rtsp://127.0.0.1:1/main", username="gate", password="wrong")
    await video.handle(Received(stream))
    await video.handle(Received(replace(stream, password="right")))
    await video.handle(Received(replace(stream, username="another")))
    await video.close()
    assert begun == [0, 3, 0]


async def test_a_camera_without_an_address_has_a_remedy() -> None:
    video, _ = _role()
    monkey: Any = SimpleNamespace(lists=SimpleNamespace(revision=0))
    video._kit = monkey
    await video.handle(Received(ASSIGNED))
    (status,) = video.heartbeat().cameras
    await video.close()
    assert status.reason == "no_stream_address"
    assert "password" in status.remedy


async def test_work_beside_the_messages_that_fails_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ArithmeticError

    video, _ = _role()
    video._keep(fail())
    while video._tasks:
        await asyncio.sleep(0)
    assert "ArithmeticError" in caplog.text


@dataclass
class Main:
    """A main stream whose latch is open."""

    wanted: bool = True
    lost: str | None = None

    def want(self, *, pictures: bool) -> None:
        self.wanted = pictures


@dataclass
class Waits:
    """Counts who rests, without resting."""

    def is_set(self) -> bool:
        return False

    waited: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


@dataclass
class Posted:
    sent: list[Message] = field(default_factory=list)

    def post(self, *messages: Message) -> None:
        self.sent += messages


def _pipeline() -> Any:
    tools = SimpleNamespace(detector=SimpleNamespace(least_height=32.0), embedder=SimpleNamespace(fingerprint="f"))
    clock, matching = ManualClock(), MatchingSettings()
    kit = PipelineKit(
        tools=tools,  # type: ignore[arg-type]  # what the test uses of them
        lists=SimpleNamespace(current=None),  # type: ignore[arg-type]  # nobody is on it
        thresholds=SimpleNamespace(),  # type: ignore[arg-type]  # nothing is compared
        vision=VisionSettings(),
        matching=matching,
        evidence=EvidenceSettings(),
        outlet=Posted(),  # type: ignore[arg-type]  # an outlet without a channel
        clock=clock,
    )
    address = "rtsp://127.0.0.1:1/1"
    made: Any = CameraPipeline(ASSIGNED, address, address, Announcer(ASSIGNED, "east", clock), kit)
    made._main = Main()
    return made


def test_the_looker_rests_when_its_stream_is_over() -> None:
    pipeline = _pipeline()
    pipeline._stream._board.stopped()
    pipeline._stopping = waits = Waits()
    for _ in range(3):
        pipeline._step()
    assert waits.waited == [0.5] * 3


def test_the_main_stream_is_not_decoded_for_an_empty_list() -> None:
    """Who was followed when the last person left the list would keep it open for ever."""
    pipeline = _pipeline()
    pipeline._live(FRAME)
    assert not pipeline._main.wanted


@pytest.mark.parametrize("lost", [False, True])
def test_who_came_while_the_list_was_empty_or_the_sub_stream_lost_is_not_known(lost: bool) -> None:
    """However short it was: the clip is of the main stream, and shows whoever was there."""
    pipeline = _pipeline()
    presence = pipeline._looker.presence
    presence.looked(100.0)
    assert not presence.strangers(100.0, 103.0)
    if lost:
        pipeline._lost(StreamLost(ManualClock().now(), LossReason.REFUSED, 1, 1.0))
    else:
        pipeline._live(FRAME)
    presence.looked(102.0)
    assert presence.strangers(100.0, 103.0)


def test_the_main_stream_is_not_decoded_while_the_sub_stream_is_lost() -> None:
    pipeline = _pipeline()
    pipeline._lost(StreamLost(ManualClock().now(), LossReason.REFUSED, 1, 1.0))
    assert not pipeline._main.wanted


def test_looks_that_fail_are_a_fault_of_the_camera_and_counted() -> None:
    pipeline = _pipeline()
    pipeline._kit.lists.current = SimpleNamespace(gallery=None)
    outcomes = iter([*[ValueError("no vector")] * 6, None, ChannelClosedError("the end")])

    def look(*_asked: object) -> tuple[()]:
        if (outcome := next(outcomes)) is not None:
            raise outcome
        return ()

    pipeline._stream.next, pipeline._looker._look, pipeline._main = lambda _seconds: FRAME, look, None
    pipeline._judge_picture, pipeline._assigned = lambda _frame: None, replace(ASSIGNED, watch_faces=True)
    pipeline._stopping = Waits()
    pipeline._run()
    faults = [decode(each.event) for each in pipeline._kit.outlet.sent if isinstance(each, Report)]
    assert [each.state for each in faults if isinstance(each, CameraFault)] == ["looks_fail", "looks_ok"]
    assert pipeline.status().looks_failed == 6


def test_a_camera_whose_clock_stands_still_is_not_told_as_restored_by_each_of_its_pictures() -> None:
    pipeline = _pipeline()
    board, sent = pipeline._stream._board, pipeline._kit.outlet.sent
    for _ in range(3):
        board.put(FRAME, "h264", 1.0, doubted=bool(sent))
        board.lost(LossReason.CLOCK_STUCK, 1, 1.0)
        board.put(FRAME, "h264", 1.0, doubted=True)
        for _ in range(2):
            pipeline._step()
    board.put(FRAME, "h264", 1.0)
    pipeline._step()
    events = [decode(each.event) for each in sent if isinstance(each, Report)]
    assert [type(each) for each in events] == [CameraLost, CameraRestored]
