"""Viewers of one scene: same pictures, continuous time, no reason to wait for one another."""

import asyncio
import itertools

import pytest

from gateway.simulators.camera import write_test_recording
from gateway.simulators.camera.playback import Picture, Playback, Scene
from gateway.simulators.camera.recording import Recording, load_recording


class Notebook:
    """A viewer that keeps what it is shown."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.ended = asyncio.Event()

    def show(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def end(self) -> None:
        self.ended.set()

    async def has(self, count: int) -> list[Picture]:
        while len(self.pictures) < count:
            await asyncio.sleep(0.01)
        return self.pictures[:count]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    file = tmp_path_factory.mktemp("playback") / "squares.mp4"
    return load_recording(write_test_recording(file, frames=15, frames_per_second=50))


async def _played(playback: Playback, group: asyncio.TaskGroup) -> "asyncio.Task[None]":
    return group.create_task(playback.run(), name="playback")


async def test_a_looped_recording_goes_on_with_continuous_timestamps(recording: Recording) -> None:
    playback, viewer = Playback(recording, Scene(), loop=True), Notebook()
    async with asyncio.TaskGroup() as group:
        task = await _played(playback, group)
        playback.attach(viewer)
        pictures = await viewer.has(40)
        task.cancel()

    stamps = [picture.timestamp for picture in pictures]
    assert {after - before for before, after in itertools.pairwise(stamps)} == {1800}
    assert stamps[0] == 0
    assert pictures[0].keyframe


async def test_a_late_viewer_begins_with_the_keyframe_of_the_running_group(recording: Recording) -> None:
    playback, early, late = Playback(recording, Scene(), loop=True), Notebook(), Notebook()
    async with asyncio.TaskGroup() as group:
        task = await _played(playback, group)
        playback.attach(early)
        await early.has(18)
        playback.attach(late)
        assert late.pictures[0].keyframe
        assert late.pictures[-1].timestamp == early.pictures[-1].timestamp
        await late.has(len(late.pictures) + 5)
        task.cancel()

    shared = [picture.timestamp for picture in early.pictures if picture.timestamp >= late.pictures[0].timestamp]
    assert shared == [picture.timestamp for picture in late.pictures]


async def test_after_the_last_viewer_the_scene_begins_anew(recording: Recording) -> None:
    playback, first, second = Playback(recording, Scene(), loop=True), Notebook(), Notebook()
    async with asyncio.TaskGroup() as group:
        task = await _played(playback, group)
        playback.attach(first)
        await first.has(7)
        playback.detach(first)
        playback.attach(second)
        pictures = await second.has(20)
        task.cancel()

    assert [picture.timestamp for picture in pictures] == [1800 * number for number in range(20)]
    assert len(first.pictures) <= 8


async def test_a_recording_played_once_says_its_end_and_can_be_seen_again(recording: Recording) -> None:
    playback = Playback(recording, Scene(), loop=False)
    async with asyncio.TaskGroup() as group:
        task = await _played(playback, group)
        for _ in range(2):
            viewer = Notebook()
            playback.attach(viewer)
            await viewer.ended.wait()
            assert len(viewer.pictures) == 15
        task.cancel()


async def test_main_and_sub_show_the_same_moment(recording: Recording) -> None:
    scene = Scene()
    main, sub = Playback(recording, scene, loop=True), Playback(recording, scene, loop=True)
    first, second = Notebook(), Notebook()
    async with asyncio.TaskGroup() as group:
        tasks = [await _played(playback, group) for playback in (main, sub)]
        main.attach(first)
        await first.has(20)
        sub.attach(second)
        await second.has(20)
        for task in tasks:
            task.cancel()

    begun = second.pictures[0].timestamp
    assert 0 < begun <= first.pictures[-1].timestamp
    assert second.pictures[0].keyframe
