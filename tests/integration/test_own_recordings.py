"""Where a clip has a gap, the camera's own recording is fetched: behind everything, again while it cannot be had."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.daemon import own_recordings
from gateway.daemon.own_recordings import OwnRecordings
from gateway.events import ButtonPressed, Cause
from gateway.settings import EvidenceSettings, StorageSettings
from gateway.storage import ClipPart, ClipState, Evidence, Stores, open_storage
from gateway.wire import ClipPiece, FetchRecording, RecordingReply
from gateway.workers import WorkerAwayError

SETTINGS = EvidenceSettings(clip_before_seconds=10, clip_after_seconds=0)
OFFSET = 90.0


def answered(order: FetchRecording, number: int, **changes: object) -> ClipPiece:
    about = {"evidence": order.evidence, "event": order.event, "camera": order.camera, "person": order.person}
    return ClipPiece(**about, number=number, from_camera=True, **({"data": b""} | changes))  # type: ignore[arg-type]  # as told


@dataclass
class Children:
    """Answer as they are told to; a fetch brings two pieces, or why there are none."""

    refusals: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    away: int = 0
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    orders: list[FetchRecording] = field(default_factory=list)
    take: Callable[[ClipPiece], None] = print

    def is_by_onvif(self, camera: str) -> bool:
        return camera.startswith("cam")

    async def own_recording(self, camera: str) -> RecordingReply:
        self.asked.append(camera)
        if self.away:
            self.away -= 1
            raise WorkerAwayError("the devices child is away")
        if self.refusals:
            return RecordingReply(request=1, camera=camera, refusal=self.refusals.pop(0))
        return RecordingReply(request=1, camera=camera, url="rtsp://127.0.0.1/r", clock_offset_seconds=OFFSET)

    def fetch_recording(self, order: FetchRecording) -> bool:
        self.orders.append(order)
        if self.silent:
            return True
        if self.reasons:
            self.take(answered(order, 0, last=True, cut_short=True, trouble=self.reasons.pop(0)))
            return True
        self.take(answered(order, 0, data=b"moov" * 9, whole=True, seconds=9.5))
        self.take(answered(order, 1, last=True, seconds=9.5))
        return True


async def _no_fault(cause: Cause) -> None:
    raise AssertionError(cause)


@asynccontextmanager
async def running(folder: Path, children: Children, again: tuple[float, ...] = ()) -> AsyncIterator["Running"]:
    stores = await open_storage(StorageSettings(directory=folder, reserve_megabytes=1), SystemClock())
    recordings = OwnRecordings(stores, SETTINGS, children, SystemClock(), again=again, settle=0.0)
    children.take = recordings.take
    tasks = [asyncio.create_task(recordings.run()), asyncio.create_task(stores.clips.run(_no_fault))]
    try:
        yield Running(stores, recordings)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await stores.close()
    assert all(task.cancelled() for task in tasks)


@dataclass
class Running:
    stores: Stores
    recordings: OwnRecordings

    async def press(self, identity: str = "press-1") -> datetime:
        now = datetime.now(UTC)
        button = ButtonPressed(id=identity, source="/site/s/button/b", subject="b", time=now, device="b")
        recorded = (await self.stores.journal.append(button)).event.recorded
        assert recorded is not None
        return recorded

    def gap(self, event: str = "press-1", camera: str = "cam-01", **changes: object) -> None:
        about = {"evidence": "own", "event": event, "camera": camera, "person": "", "number": 3, "data": b""}
        self.recordings.note(ClipPiece(**(about | {"last": True, "cut_short": True} | changes)))  # type: ignore[arg-type]  # as told

    async def evidence(self, event: str = "press-1", state: str = "whole") -> Evidence:
        async with asyncio.timeout(20):
            while True:
                for each in await self.stores.evidence.of_event(event):
                    if each.clip is not None and each.clip.state == state and each.kind == "camera_clip":
                        return each
                await asyncio.sleep(0.01)


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.01)


async def test_the_time_around_the_alarm_is_fetched_by_the_cameras_clock(tmp_path: Path) -> None:
    children = Children()
    async with running(tmp_path, children) as house:
        moment = await house.press()
        house.gap()
        found = await house.evidence()
        assert await house.stores.clips.read(found.id, 0, 100) == b"moov" * 9
        assert b"moov" not in (tmp_path / "evidence" / found.id).read_bytes()
    (order,) = children.orders
    assert order.since == pytest.approx(moment.timestamp() + OFFSET - 10)
    assert order.until == pytest.approx(moment.timestamp() + OFFSET)
    assert (order.camera, order.event, order.url) == ("cam-01", "press-1", "rtsp://127.0.0.1/r")
    assert found.clip == ClipState(state="whole", seconds=9.5, size=36, clock_offset_seconds=OFFSET)
    assert found.created == moment, "it is of that moment, whenever it was fetched"


async def test_it_goes_when_the_other_evidence_of_the_alarm_goes(tmp_path: Path) -> None:
    async with running(tmp_path, Children()) as house:
        moment = await house.press()
        due = moment + timedelta(days=365)
        other = Evidence(
            id="e-1", event="press-1", camera="cam-01", person="", kind="scene", created=moment, purge_after=due
        )
        await house.stores.evidence.keep(other, b"jpeg")
        house.gap()
        assert (await house.evidence()).purge_after == due
        assert {each.id for each in await house.stores.evidence.purge_due(due)} > {"e-1"}
        await house.press("press-2")
        house.gap("press-2")
        usual = timedelta(days=SETTINGS.unconfirmed_days)
        assert (await house.evidence("press-2")).purge_after - moment < usual + timedelta(minutes=1)


@pytest.mark.parametrize(
    "piece",
    [{"cut_short": False}, {"last": False}, {"camera": "rtsp-01"}],
    ids=["whole", "grows", "not over ONVIF"],
)
async def test_a_clip_without_gap_and_a_camera_that_is_not_asked_over_onvif_have_nothing_fetched(
    tmp_path: Path, piece: dict[str, object]
) -> None:
    children = Children()
    async with running(tmp_path, children) as house:
        await house.press()
        house.gap(**piece)  # type: ignore[arg-type]  # fields of the piece
        house.gap("press-1", "cam-02")
        await until(lambda: children.orders)
    assert children.asked == ["cam-02"]


async def test_what_cannot_be_had_now_is_tried_again(tmp_path: Path) -> None:
    children = Children(refusals=["unreachable"], reasons=["not_recorded"], away=1)
    async with running(tmp_path, children, again=(0.0, 0.05, 0.0)) as house:
        await house.press()
        house.gap()
        await house.evidence()
        assert len(await house.stores.evidence.of_event("press-1")) == 1
    assert (len(children.asked), len(children.orders)) == (4, 2)


@pytest.mark.parametrize("reason", ["not_recorded", "unreachable", "not_playable"])
async def test_in_the_end_the_evidence_says_why_there_is_none(tmp_path: Path, reason: str) -> None:
    children = Children(reasons=["unreachable", reason])
    async with running(tmp_path, children, again=(0.0,)) as house:
        moment = await house.press()
        house.gap()
        found = await house.evidence(state="missing")
        assert found.clip == ClipState(state="missing", others=False, reason=reason)
        assert found.created == moment
        assert await house.stores.clips.look(found.id) is None
        assert [each.id for each in await house.stores.evidence.purge_due(found.purge_after)] == [found.id]
    assert len(children.orders) == 2


@pytest.mark.parametrize("reason", ["no_recording", "credentials_wrong"])
async def test_what_no_waiting_mends_is_told_at_once(tmp_path: Path, reason: str) -> None:
    children = Children(refusals=[reason])
    async with running(tmp_path, children, again=(3600.0,)) as house:
        await house.press()
        house.gap()
        assert await house.evidence(state="missing")
    assert not children.orders


async def test_a_password_that_the_replay_refused_is_not_tried_for_each_press(tmp_path: Path) -> None:
    children = Children(reasons=["credentials_wrong"])
    async with running(tmp_path, children) as house:
        for number in (1, 2, 3):
            await house.press(f"press-{number}")
            house.gap(f"press-{number}")
            missing = await house.evidence(f"press-{number}", "missing")
            assert missing.clip is not None
            assert missing.clip.reason == "credentials_wrong"
    assert len(children.orders) == 1


async def test_a_camera_that_never_ends_keeps_no_other_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recordings, "_LONGEST_SECONDS", 0.3)
    monkeypatch.setattr(own_recordings, "_SECONDS_PER_SECOND", 0)
    children = Children(silent=True)
    async with running(tmp_path, children) as house:
        await house.press()
        house.gap(camera="cam-01")
        await until(lambda: children.orders)
        children.silent = False
        house.gap(camera="cam-02")
        assert (await house.evidence()).camera == "cam-02"
        late = await house.evidence(state="missing")
        assert (late.camera, late.clip and late.clip.reason) == ("cam-01", "unreachable")
        house.recordings.take(answered(children.orders[0], 0, data=b"moov", whole=True, last=True))
        assert len(await house.stores.evidence.of_event("press-1")) == 2


async def test_so_many_gaps_of_one_camera_are_fetched_one_by_one_and_the_rest_is_not(tmp_path: Path) -> None:
    children = Children()
    async with running(tmp_path, children) as house:
        for number in range(12):
            await house.press(f"press-{number}")
        for number in range(12):
            house.gap(f"press-{number}")
        await until(lambda: len(children.orders) == 8)
        await house.evidence("press-7")
        await asyncio.sleep(0.05)
    assert [each.event for each in children.orders] == [f"press-{number}" for number in range(8)]


async def test_an_event_that_is_not_there_any_more_has_nothing_fetched(tmp_path: Path) -> None:
    children = Children()
    async with running(tmp_path, children) as house:
        await house.press()
        house.gap("nobody-knows-this-event")
        house.gap()
        assert await house.evidence()
    assert len(children.orders) == 1


async def test_a_gap_that_the_end_of_the_gateway_made_is_fetched_by_the_next_one(tmp_path: Path) -> None:
    def clip_of(identity: str, event: str, *, kind: str = "clip", days: float = 0) -> ClipPart:
        now = datetime.now(UTC)
        evidence = Evidence(
            id=identity, event=event, camera="cam-01", person="", kind=kind, created=now - timedelta(days=days),
            purge_after=now + timedelta(days=30), clip=ClipState(),
        )  # fmt: skip
        return ClipPart(evidence=evidence, number=0, data=b"moov", whole=True, seconds=1.0)

    before = Children()
    async with running(tmp_path, before) as house:
        for number in (1, 2, 3):
            await house.press(f"press-{number}")
        cut = [clip_of("a", "press-1"), clip_of("b", "press-2"), clip_of("d", "press-3", days=2)]
        for part in (*cut, clip_of("c", "press-2", kind="camera_clip")):
            house.stores.clips.put(part)
    after = Children()
    async with running(tmp_path, after) as house:
        assert await house.evidence("press-1")
    assert not before.orders
    assert [each.event for each in after.orders] == ["press-1"], "the others have one, or are too old"
