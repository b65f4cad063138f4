"""Cameras come, change and go all day, one of them frozen: nothing of them stays in a child or at a camera."""

import asyncio
import os
from pathlib import Path

import pytest
from vision_bench import House, until

from gateway.settings import CameraSettings
from gateway.simulators.camera import SimulatedCamera, write_test_recording
from gateway.workers import Workers

ROUNDS = 50
WARM = 3
# Of several children: a pool of threads that had not been used before, a connection that is being closed.
SLACK = 4


def used(workers: Workers) -> tuple[int, int]:
    """Threads and descriptors of all children together."""
    folders = [Path(f"/proc/{each.pid}") for each in workers.workers() if each.pid]
    return (
        sum(len(os.listdir(folder / "task")) for folder in folders),
        sum(len(os.listdir(folder / "fd")) for folder in folders),
    )


async def settles(workers: Workers, most: tuple[int, int]) -> tuple[int, int]:
    """What they use once that is no more than `most`, or after half a minute."""
    for _ in range(120):
        now = used(workers)
        if now[0] <= most[0] and now[1] <= most[1]:
            return now
        await asyncio.sleep(0.25)
    return now


def entry(name: str, camera: SimulatedCamera, looks: float) -> CameraSettings:
    return CameraSettings(
        id=name, url=camera.onvif_url, username="gate", password="secret", looks_per_second=looks, watch_faces=False
    )


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_fifty_cameras_that_come_change_and_go_leave_nothing(tmp_path: Path) -> None:
    recording, house = write_test_recording(tmp_path / "r.mp4", frames=12), House()
    async with (
        SimulatedCamera(recording, quirks=["redirects"]) as stays,
        SimulatedCamera(recording, quirks=["frozen"], username="gate", password="secret") as frozen,
        SimulatedCamera(recording, quirks=["redirects"], username="gate", password="secret") as sound,
        house.open(tmp_path / "models", None) as workers,
    ):
        await workers.assign(CameraSettings(id="stays", url=stays.onvif_url))
        await until(lambda: house.described)
        subscriptions = sound.inside.subscriptions

        async def once() -> None:
            for looks in (2.0, 4.0):
                for name, camera in (("bad", frozen), ("good", sound)):
                    await workers.assign(entry(name, camera, looks))
                await until(lambda: any(each.camera == "good" for each in house.described))
                house.described.clear()
            for name in ("bad", "good"):
                await workers.withdraw(name)
            await until(lambda: not subscriptions.alive)

        for _ in range(WARM):
            await once()
        before = await settles(workers, (0, 0))
        for _ in range(ROUNDS):
            await once()
        after = await settles(workers, (before[0] + SLACK, before[1] + SLACK))
        assert [each.restarts for each in workers.workers()] == [0] * len(workers.workers()), "none crashed"
        assert after[0] <= before[0] + SLACK, (before, after)
        assert after[1] <= before[1] + SLACK, (before, after)
        assert subscriptions.made >= ROUNDS
        assert not subscriptions.alive
