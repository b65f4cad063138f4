"""Children that die, stop, stall or send nonsense: each is replaced, nobody else notices."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from gateway.events import CameraFault, CameraLost, CameraRestored, Event, FaceMatched, GatewayFault
from gateway.settings import CameraSettings, MatchingSettings, VisionSettings
from gateway.wire import ClipPiece, ClipRequest, Message, PassageOver, SealedRow
from gateway.workers import (
    LifeRules,
    NoPictureError,
    Outfit,
    RestartBudget,
    Upkeep,
    WorkerAwayError,
    WorkerPorts,
    WorkerProcess,
    Workers,
    WorkerStage,
    WorkerState,
)

RULES = LifeRules(silence_seconds=1.2, start_seconds=20, stop_seconds=0.5)

# A child of the test: speaks the real wire, does what its camera's name says.
CHILD = """
import asyncio, os, signal, sys
from gateway.wire import *
from gateway.events import *
from datetime import datetime, UTC

FRAME = b"\\x00\\x00\\x00\\x40\\x00\\x00\\x00\\x3a" + b"{}"

async def beat(channel, worker, cameras):
    while True:
        statuses = tuple(CameraStatus(camera=c, state="live") for c in cameras)
        await channel.send(Heartbeat(worker=worker, cameras=statuses))
        await asyncio.sleep(0.1)

async def act(channel, message, cameras):
    name, camera = message.name, message.camera
    if name == "crash": os._exit(3)
    if name == "truncate": os.write(channel._socket.fileno(), FRAME); await asyncio.sleep(0.1); os._exit(0)
    if name == "garbage": os.write(channel._socket.fileno(), b"\\x00" * 64)
    if name == "stall": os.write(channel._socket.fileno(), FRAME); os.kill(os.getpid(), signal.SIGSTOP)
    if name == "lose":
        now = datetime.now(UTC)
        lost = CameraLost(id=new_id(), source="/c", subject=camera, time=now, camera=camera, reason="stalled")
        await channel.send(Report(event=encode(lost)))
        return
    if name == "warn": await warn(channel, message)
    cameras.append(camera)

async def warn(channel, message):
    base = dict(id=new_id(), source="/c", subject=message.camera, time=datetime.now(UTC), camera=message.camera)
    if message.warned:
        await channel.send(Report(event=encode(CameraFault(state=message.warned[0].person, **base))))
        return
    decided = dict(distance=0.3, threshold=0.46, looks=3, face_height=60, quality=0.5)
    match = FaceMatched(person="p1", model="net", detector="d", passage="p", **decided, **base)
    await channel.send(Report(event=encode(match)))
    await asyncio.sleep(0.1)
    os._exit(3)

async def film(channel, message):
    about = dict(evidence=message.evidence, event=message.event, camera=message.camera, person="")
    for number in range(2):
        await channel.send(ClipPiece(**about, number=number, data=b"moof", whole=True, seconds=number + 1.0))
    if message.event != "crash": await channel.send(ClipPiece(**about, number=2, data=b"", seconds=2.0, last=True))
    if message.event == "crash": await asyncio.sleep(0.1); os._exit(3)

async def pictures(channel):
    while True:
        request = (await channel.receive()).message
        jpeg = b"jpeg of " + request.camera.encode()
        channel.offer(PictureReply(request=request.request, camera=request.camera, jpeg=jpeg))

async def main(role, channel, pictures_channel):
    cameras = []
    hello = (await channel.receive()).message
    sys.stderr.write(f"password=hunter2 {len(hello.people_key)} bytes of key in {role}\\n")
    tasks = [asyncio.create_task(beat(channel, hello.worker, cameras)), asyncio.create_task(pictures(pictures_channel))]
    await channel.send(Ready(worker=hello.worker, detail="test child"))
    while True:
        message = (await channel.receive()).message
        if isinstance(message, Stop) and "stubborn" not in cameras: os._exit(0)
        if isinstance(message, CameraAssigned): await act(channel, message, cameras)
        if isinstance(message, ClipRequest): await film(channel, message)
        if isinstance(message, CameraWithdrawn): cameras.remove(message.camera)

async def start(role, a, b):
    await main(role, Channel.from_fd(a), Channel.from_fd(b))

asyncio.run(start(sys.argv[1], int(sys.argv[3]), int(sys.argv[5])))
"""


@dataclass
class Findings:
    events: list[Event] = field(default_factory=list)
    pieces: list[ClipPiece] = field(default_factory=list)

    async def report(self, events: Sequence[Event]) -> None:
        self.events += events

    async def ignore(self, message: Message) -> None:
        pass

    async def gone(self, passage: PassageOver, said: datetime) -> None:
        pass

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ports(self) -> WorkerPorts:
        return WorkerPorts(
            on_report=self.report,
            on_evidence=self.ignore,
            on_clip=self.pieces.append,
            on_passage=self.gone,
            on_statistics=self.ignore,
            on_described=self.ignore,
            on_contact=self.ignore,
            on_heard=self.ignore,
        )


async def no_rows() -> tuple[int, tuple[SealedRow, ...]]:
    return 0, ()


@pytest.fixture
def child(tmp_path: Path) -> Path:
    path = tmp_path / "child.py"
    path.write_text(CHILD)
    return path


@asynccontextmanager
async def running(child: Path, findings: Findings, *, per_worker: int = 4, cores: int = 1) -> AsyncIterator[Workers]:
    outfit = Outfit(
        site="east",
        vision=VisionSettings(cameras_per_worker=per_worker),
        matching=MatchingSettings(),
        models_directory=child.parent,
        people_key=b"k" * 32,
    )
    upkeep = Upkeep(
        rules=RULES,
        budget=lambda: RestartBudget(jitter=lambda: -0.4, slow_delay_seconds=0.2),
        start=partial(WorkerProcess.start, program=(str(child),)),
        cores=cores,
    )
    workers = Workers(outfit, no_rows, findings.ports, upkeep=upkeep)
    async with asyncio.TaskGroup() as group:
        group.create_task(workers.run())
        try:
            yield workers
        finally:
            workers.stop()


def camera(name: str, *, behaves: str = "well") -> CameraSettings:
    return CameraSettings(id=name, name=behaves, url="rtsp://127.0.0.1:1/")


async def until(met: Callable[[], object]) -> None:
    while not met():
        await asyncio.sleep(0.02)


def state_of(workers: Workers, name: str) -> WorkerState:
    return next(state for state in workers.workers() if state.name == name)


def is_ready(workers: Workers, name: str, *, restarts: int = 0) -> bool:
    states = [state for state in workers.workers() if state.name == name]
    return bool(states) and states[0].stage is WorkerStage.READY and states[0].restarts >= restarts


async def test_a_killed_child_comes_back_with_its_cameras(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        await workers.assign(camera("cam-01"))
        await until(lambda: is_ready(workers, "video-1"))
        old = state_of(workers, "video-1")
        os.kill(old.pid, signal.SIGKILL)
        await until(lambda: is_ready(workers, "video-1", restarts=1))
        await until(lambda: workers.cameras()[0].state == "live")
        new = state_of(workers, "video-1")
    assert new.pid != old.pid
    assert new.cameras == ("cam-01",)
    assert "signal 9" in new.reason
    assert not findings.events


async def test_the_last_warning_is_told_to_the_childs_next_life_and_with_a_new_entry(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        await workers.assign(camera("cam-01", behaves="warn"))
        await until(lambda: findings.of(CameraFault))
        await workers.assign(camera("cam-01", behaves="warn"))
        await until(lambda: len(findings.of(CameraFault)) == 2)
    faults = [event for event in findings.of(CameraFault) if isinstance(event, CameraFault)]
    assert [event.state for event in faults] == ["p1", "p1"], "the test child answers with whom it was told of"
    assert len(findings.of(FaceMatched)) == 1


async def test_a_clip_ends_when_its_child_ends_it_or_is_gone(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        wish = ClipRequest(evidence="e-1", event="press-1", camera="cam-01")
        assert not workers.record_clip(wish), "nobody has that camera"
        await workers.assign(camera("cam-01"))
        await until(lambda: workers.record_clip(wish))
        await until(lambda: len(findings.pieces) == 3)
        assert workers.record_clip(ClipRequest(evidence="e-2", event="crash", camera="cam-01"))
        await until(lambda: len(findings.pieces) == 6)
        assert not workers.record_clip(wish), "its child is away"
        await until(lambda: is_ready(workers, "video-1", restarts=1))
    assert [(piece.evidence, piece.number) for piece in findings.pieces] == [
        *(("e-1", number) for number in range(3)),
        *(("e-2", number) for number in range(3)),
    ]
    last = [piece for piece in findings.pieces if piece.last]
    assert [(piece.cut_short, piece.seconds, piece.data) for piece in last] == [(False, 2.0, b""), (True, 2.0, b"")]


async def test_a_stopped_child_is_replaced_and_its_sibling_is_not(child: Path) -> None:
    async with running(child, Findings(), per_worker=1) as workers:
        await workers.assign(camera("cam-01"))
        await workers.assign(camera("cam-02"))
        await until(lambda: is_ready(workers, "video-1") and is_ready(workers, "video-2"))
        stopped, sibling = state_of(workers, "video-1"), state_of(workers, "video-2")
        os.kill(stopped.pid, signal.SIGSTOP)
        await until(lambda: is_ready(workers, "video-1", restarts=1))
        assert "silent" in state_of(workers, "video-1").reason
        assert state_of(workers, "video-2").pid == sibling.pid
    with pytest.raises(ProcessLookupError):
        os.kill(stopped.pid, 0)


@pytest.mark.parametrize("behaves", ["truncate", "garbage", "stall"])
async def test_nonsense_on_the_channel_costs_that_child_alone(child: Path, behaves: str) -> None:
    async with running(child, Findings(), per_worker=1) as workers:
        await workers.assign(camera("cam-01"))
        await until(lambda: is_ready(workers, "video-1"))
        sibling = state_of(workers, "video-1").pid
        await workers.assign(camera("cam-02", behaves=behaves))
        await until(lambda: state_of(workers, "video-2").restarts >= 1)
        await workers.withdraw("cam-02")
        assert is_ready(workers, "video-1")
        assert state_of(workers, "video-1").pid == sibling
        assert await workers.picture("cam-01") == b"jpeg of cam-01"


async def test_a_crash_loop_is_reported_once_and_its_end_is_seen(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        await workers.assign(camera("cam-01", behaves="crash"))
        await until(lambda: state_of(workers, "video-1").stage is WorkerStage.CRASH_LOOP and len(findings.events) > 1)
        await until(lambda: state_of(workers, "video-1").restarts >= 7)
        assert [(each.fault, each.subject) for each in findings.of(GatewayFault)] == [  # type: ignore[attr-defined]  # of() filters by type
            ("worker_crash_loop", "video-1")
        ]
        assert [each.reason for each in findings.of(CameraLost)] == ["worker_crash_loop"]  # type: ignore[attr-defined]  # as above
        assert is_ready(workers, "gallery")
        with pytest.raises(NoPictureError):
            await workers.picture("cam-01")

        await workers.assign(camera("cam-01"))
        await until(lambda: findings.of(CameraRestored))
        assert workers.cameras()[0].lost_since is None


HEALTHY = {"cam-0", "cam-1", "cam-3"}


async def test_in_a_crash_loop_the_cameras_part_until_the_one_that_ends_its_child_is_alone(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        for number in range(4):
            await workers.assign(camera(f"cam-{number}", behaves="crash" if number == 2 else "well"))
        await until(
            lambda: [each.camera for each in workers.cameras() if each.state == "live"] == ["cam-0", "cam-1", "cam-3"]
        )
        places = {each.camera: each.worker for each in workers.cameras()}
    assert list(places.values()).count(places["cam-2"]) == 1
    assert {each.camera for each in findings.of(CameraLost)} <= {"cam-2", "cam-3"}  # type: ignore[attr-defined]  # as above


async def test_each_core_gets_a_child_before_any_child_a_second_camera(child: Path) -> None:
    async with running(child, Findings(), cores=2) as workers:
        for number in range(4):
            await workers.assign(camera(f"cam-{number}"))
        assert {each.camera: each.worker for each in workers.cameras()} == {
            "cam-0": "video-1",
            "cam-1": "video-2",
            "cam-2": "video-1",
            "cam-3": "video-2",
        }


async def test_a_loss_is_reported_once_and_its_return_by_whoever_sees_it(child: Path) -> None:
    findings = Findings()
    async with running(child, findings) as workers:
        await workers.assign(camera("cam-01", behaves="lose"))
        await until(lambda: findings.of(CameraLost))
        os.kill(state_of(workers, "video-1").pid, signal.SIGKILL)
        await until(lambda: is_ready(workers, "video-1", restarts=1))
        await workers.assign(camera("cam-01"))
        await until(lambda: findings.of(CameraRestored))
    assert len(findings.of(CameraLost)) == 1
    assert len(findings.of(CameraRestored)) == 1


async def test_who_waits_for_a_dead_child_is_told(child: Path) -> None:
    async with running(child, Findings()) as workers:
        await until(lambda: is_ready(workers, "gallery"))
        asked = asyncio.create_task(workers.identify(b"not answered by the test child"))
        await asyncio.sleep(0.1)
        os.kill(state_of(workers, "gallery").pid, signal.SIGKILL)
        with pytest.raises(WorkerAwayError, match="gallery"):
            await asked


async def test_a_child_that_does_not_stop_is_killed(child: Path) -> None:
    async with running(child, Findings()) as workers:
        await workers.assign(camera("stubborn"))
        await until(lambda: workers.cameras()[0].state == "live")
        pid = state_of(workers, "video-1").pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_video_children_come_and_go_with_their_cameras(child: Path) -> None:
    async with running(child, Findings(), per_worker=2) as workers:
        for number in range(3):
            await workers.assign(camera(f"cam-{number}"))
        await until(lambda: is_ready(workers, "video-1") and is_ready(workers, "video-2"))
        await until(lambda: all(each.state == "live" for each in workers.cameras()))
        assert {each.camera: each.worker for each in workers.cameras()} == {
            "cam-0": "video-1",
            "cam-1": "video-1",
            "cam-2": "video-2",
        }
        await workers.withdraw("cam-2")
        assert {each.name for each in workers.workers()} == {"gallery", "video-1"}


def shown_to_all(pid: int) -> tuple[bytes, bytes]:
    folder = Path(f"/proc/{pid}")
    return (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()


async def test_the_key_goes_to_the_gallery_child_alone_and_no_secret_to_the_log(
    child: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_API__SECRET", "hunter3")
    async with running(child, Findings()) as workers:
        await workers.assign(camera("cam-01"))
        await until(lambda: is_ready(workers, "video-1") and is_ready(workers, "gallery"))
        environment, command = shown_to_all(state_of(workers, "video-1").pid)
    assert b"hunter3" not in environment + command
    assert b"OMP_NUM_THREADS=1" in environment
    assert "hunter2" not in caplog.text
    assert "32 bytes of key in gallery" in caplog.text
    assert "0 bytes of key in video" in caplog.text


async def test_a_program_that_cannot_start_is_a_state_and_no_crash(tmp_path: Path) -> None:
    async with running(tmp_path / "missing.py", Findings()) as workers:
        await until(lambda: workers.workers() and state_of(workers, "gallery").restarts >= 1)
        assert state_of(workers, "gallery").reason == "it ended with status 2"
        with pytest.raises(WorkerAwayError):
            await workers.identify(b"image")


def test_the_alarm_house_loads_nothing_of_the_vision_house() -> None:
    code = (
        "import sys, gateway.workers; "
        "bad = {'numpy', 'cv2', 'av', 'onnxruntime', 'dlib', 'gateway.vision', 'gateway.matching'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
