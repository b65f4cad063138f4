"""Presses have clips recorded: behind the commit, by each linked camera, again while its child is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.clock import Clock, SystemClock
from gateway.daemon.press_clips import PressClips
from gateway.events import ButtonPressed, ButtonTampered, Event
from gateway.settings import EvidenceSettings, StorageSettings
from gateway.storage import Stores, open_storage
from gateway.wire import ClipRequest

LINKED = {"btn-01": ("cam-01", "cam-02"), "btn-02": ()}


class Children:
    """Take requests unless they are away."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        self.refused = 0
        self.asked: list[ClipRequest] = []
        self.given_up: list[tuple[str, str]] = []

    def record(self, request: ClipRequest) -> bool:
        if request.camera in self.away:
            self.refused += 1
            return False
        self.asked.append(request)
        return True

    def give_up(self, request: ClipRequest) -> None:
        self.given_up.append((request.event, request.camera))


def event(number: int, device: str = "btn-01", kind: Callable[..., Event] = ButtonPressed) -> Event:
    now = SystemClock().now()
    return kind(id=f"press-{number}", source=f"/site/s/button/{device}", subject=device, time=now, device=device)


@asynccontextmanager
async def following(
    folder: Path, children: Children, settings: EvidenceSettings | None = None
) -> AsyncIterator[Stores]:
    clock: Clock = SystemClock()
    stores = await open_storage(StorageSettings(directory=folder, reserve_megabytes=1), clock)
    await stores.journal.append(event(0))
    about = settings or EvidenceSettings()
    clips = PressClips(
        stores.journal, about, lambda device: LINKED.get(device, ()), children.record, children.give_up, clock
    )
    task = asyncio.create_task(clips.run())
    try:
        yield stores
    finally:
        task.cancel()
        await asyncio.wait([task])
        await stores.close()


async def until(met: Callable[[], object]) -> None:
    while not met():
        await asyncio.sleep(0.01)


async def test_each_linked_camera_is_asked_once_for_each_new_press(tmp_path: Path) -> None:
    children = Children()
    async with following(tmp_path / "state", children) as stores:
        await stores.journal.append(event(1))
        await stores.journal.append(event(1))
        await stores.journal.append(event(2, "btn-02"))
        await stores.journal.append(event(3, kind=ButtonTampered))
        await stores.journal.append(event(4, "btn-09"))
        await stores.journal.append(event(5))
        await until(lambda: len(children.asked) == 4)
    assert [(each.event, each.camera) for each in children.asked] == [
        ("press-1", "cam-01"),
        ("press-1", "cam-02"),
        ("press-5", "cam-01"),
        ("press-5", "cam-02"),
    ]
    assert len({each.evidence for each in children.asked}) == 4


async def test_a_child_that_is_away_is_asked_again_and_told_how_long_ago_it_was(tmp_path: Path) -> None:
    children = Children()
    children.away = {"cam-01"}
    async with following(tmp_path / "state", children) as stores:
        await stores.journal.append(event(1))
        await until(lambda: children.refused >= 2)
        children.away.clear()
        await until(lambda: len(children.asked) == 2)
    assert [each.camera for each in children.asked] == ["cam-02", "cam-01"]
    assert children.asked[1].ago_seconds > children.asked[0].ago_seconds
    assert children.given_up == []


async def test_when_the_clip_would_be_over_nobody_is_asked_any_more(tmp_path: Path) -> None:
    children = Children()
    children.away = {"cam-01", "cam-02"}
    async with following(tmp_path / "state", children, EvidenceSettings(clip_after_seconds=0)) as stores:
        await stores.journal.append(event(1))
        await until(lambda: children.refused == 2)
        children.away.clear()
        await stores.journal.append(event(2, "btn-02"))
        await stores.journal.append(event(3))
        await until(lambda: children.asked)
    assert {each.event for each in children.asked} == {"press-3"}
    assert children.given_up == [("press-1", "cam-01"), ("press-1", "cam-02")], "nobody would know that it is missing"


async def test_without_clips_nobody_is_asked(tmp_path: Path) -> None:
    children = Children()
    settings = EvidenceSettings(clip_before_seconds=0, clip_after_seconds=0)
    async with following(tmp_path / "state", children, settings) as stores:
        await stores.journal.append(event(1))
        await asyncio.sleep(0.1)
    assert not children.asked
