"""A child that was released says a late word: its successor is fed, no ghost is waited for, its clip ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from gateway.events import Event
from gateway.settings import CameraSettings, MatchingSettings, VisionSettings
from gateway.wire import ClipPiece, ClipRequest, SealedRow
from gateway.workers import LifeRules, Outfit, Upkeep, WorkerPorts, WorkerProcess, Workers, WorkerStage

# The first video child says that it is ready only when the file `go` is there, and heeds no wish until then.
CHILD = """
import asyncio, os, sys
from pathlib import Path
from gateway.wire import *

HERE = Path(__file__).parent

async def late():
    try:
        (HERE / "held").touch(exist_ok=False)
    except FileExistsError:
        return
    while not (HERE / "go").exists():
        await asyncio.sleep(0.01)

async def answer(channel, worker, message):
    if isinstance(message, GalleryRows):
        memory = os.memfd_create("list")
        about = dict(people=0, templates=0, size=0, fingerprint="f")
        await channel.send(GallerySnapshot(revision=message.revision, **about), (memory,))
        os.close(memory)
    if isinstance(message, GallerySnapshot):
        await channel.send(GalleryApplied(worker=worker, revision=message.revision))
    if isinstance(message, CameraAssigned):
        await channel.send(Heartbeat(worker=worker, cameras=(CameraStatus(camera=message.camera, state="live"),)))
    if isinstance(message, ClipRequest):
        about = dict(evidence=message.evidence, event=message.event, camera=message.camera, person="")
        await channel.send(ClipPiece(**about, number=0, data=b"moof", whole=True, seconds=1.0))

async def beat(channel, worker):
    while True:
        await asyncio.sleep(0.2)
        await channel.send(Heartbeat(worker=worker, cameras=()))

async def main(role, channel):
    worker = (await channel.receive()).message.worker
    if role == "video":
        await late()
    await channel.send(Ready(worker=worker))
    beating = asyncio.create_task(beat(channel, worker))
    while not isinstance(message := (await channel.receive()).message, Stop):
        await answer(channel, worker, message)

async def start(role, a, b):
    await main(role, Channel.from_fd(a))

asyncio.run(start(sys.argv[1], int(sys.argv[3]), int(sys.argv[5])))
"""


class House:
    """The children with a list that has no rows, and what they said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revision = 1
        self.pieces: list[ClipPiece] = []
        self.workers = self._made()

    def _made(self) -> Workers:
        async def nothing(*_: object) -> None:
            pass

        async def on_report(_: Sequence[Event]) -> None:
            pass

        program = self.folder / "child.py"
        program.write_text(CHILD)
        outfit = Outfit(
            site="east",
            vision=VisionSettings(),
            matching=MatchingSettings(),
            models_directory=self.folder,
            people_key=b"k" * 32,
        )
        ports = WorkerPorts(
            on_report=on_report, on_evidence=nothing, on_clip=self.pieces.append, on_passage=nothing,
            on_statistics=nothing, on_described=nothing, on_contact=nothing, on_heard=nothing,
        )  # fmt: skip
        upkeep = Upkeep(
            rules=LifeRules(silence_seconds=20, start_seconds=30, stop_seconds=30),
            start=partial(WorkerProcess.start, program=(str(program),)),
            cores=4,
        )
        return Workers(outfit, self.rows, ports, upkeep=upkeep)

    async def rows(self) -> tuple[int, tuple[SealedRow, ...]]:
        return self.revision, ()

    async def changed(self) -> int:
        self.revision += 1
        self.workers.watch_list_changed()
        return self.revision

    @property
    def is_held(self) -> bool:
        return (self.folder / "held").exists()

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def pids(self) -> set[int]:
        return {each.pid for each in self.workers.workers() if each.role == "video" and each.pid}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Workers]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.workers.run())
            try:
                yield self.workers
            finally:
                self.let_go()
                self.workers.stop()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def until(met: Callable[[], object]) -> None:
    while not met():
        await asyncio.sleep(0.02)


def ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def camera() -> CameraSettings:
    return CameraSettings(id="cam-01", url="rtsp://127.0.0.1:1/")


def is_ready(workers: Workers) -> bool:
    return any(each.role == "video" and each.stage is WorkerStage.READY for each in workers.workers())


async def test_a_late_word_of_a_released_child_takes_no_snapshot_from_its_successor(house: House) -> None:
    async with house.open() as workers:
        await workers.assign(camera())
        await until(lambda: house.is_held and house.pids())
        (old,) = house.pids()
        await workers.withdraw("cam-01")
        await workers.assign(camera())
        await until(lambda: is_ready(workers))
        house.let_go()
        await until(lambda: ended(old))
        assert await workers.applied(await house.changed(), within_seconds=10)
        assert list(workers.gallery().applied.values()) == [2]


async def test_a_camera_that_is_removed_before_its_child_is_ready_leaves_nobody_to_wait_for(house: House) -> None:
    async with house.open() as workers:
        await workers.assign(camera())
        await until(lambda: house.is_held and house.pids())
        (old,) = house.pids()
        await workers.withdraw("cam-01")
        house.let_go()
        await until(lambda: ended(old))
        assert await workers.applied(await house.changed(), within_seconds=10)
        assert workers.gallery().applied == {}


async def test_a_clip_that_a_released_child_does_not_end_ends_with_it(house: House) -> None:
    house.let_go()
    async with house.open() as workers:
        await workers.assign(camera())
        await until(lambda: workers.record_clip(ClipRequest(evidence="e-1", event="press-1", camera="cam-01")))
        await until(lambda: house.pieces)
        await workers.withdraw("cam-01")
        await until(lambda: len(house.pieces) == 2)
    last = house.pieces[-1]
    assert (last.evidence, last.number, last.last, last.cut_short, last.data) == ("e-1", 1, True, True, b"")
