"""Password files of cameras are read again: a corrected one is tried at once, and locks nobody out."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.workers.assignment import read_password
from gateway.workers.passwords import PasswordFiles


@dataclass
class Children:
    """Take what is given, and refuse until they are well."""

    given: list[tuple[str, str]] = field(default_factory=list)
    well: bool = False

    async def give(self, camera: CameraSettings, password: str) -> None:
        self.given.append((camera.id, password))

    def needs(self, _camera: str) -> bool:
        return not self.well


@dataclass
class Bench:
    path: Path
    children: Children
    clock: ManualClock
    files: PasswordFiles

    def write(self, text: str) -> None:
        self.path.write_text(text)

    async def look(self, times: int = 1) -> list[str]:
        """So many looks; returns the passwords that were given since the test began."""
        for _ in range(times):
            self.clock.advance(5)
            await asyncio.sleep(0.02)
        return [password for _, password in self.children.given]


@asynccontextmanager
async def bench(tmp_path: Path, taken: str | None = "wrong") -> AsyncIterator[Bench]:
    path, children, clock = tmp_path / "west.password", Children(), ManualClock()
    path.write_text("wrong\n")
    files = PasswordFiles(children.give, children.needs, clock)
    files.note(CameraSettings(id="west", url="onvif://127.0.0.1", username="gate", password_file=path), taken)
    task = asyncio.create_task(files.run())
    await asyncio.sleep(0)
    try:
        yield Bench(path, children, clock, files)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_corrected_password_is_given_at_once_and_once(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        assert await at.look(4) == []
        at.write("right\n")
        assert await at.look(2) == ["right"]
        assert await at.look(200) == ["right"]


async def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.write("")
        assert await at.look(3) == []
        at.write("ri")
        assert await at.look() == []
        at.write("right\n")
        assert await at.look() == []
        assert await at.look() == ["right"]


async def test_corrections_that_are_wrong_again_lock_no_camera(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.write("first")
        assert await at.look(2) == ["first"]
        at.write("second")
        assert await at.look(50) == ["first"], "300 s must pass"
        at.write("third")
        assert await at.look(15) == ["first", "third"]


async def test_a_camera_that_is_well_is_not_disturbed(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.children.well = True
        at.write("tomorrow's")
        assert await at.look(5) == []
        at.children.well = False
        assert await at.look() == ["tomorrow's"]


async def test_a_file_that_could_not_be_read_at_the_start_is_taken_when_it_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(tmp_path, taken=None) as at:
        at.path.unlink()
        assert await at.look(3) == []
        assert caplog.text.count("west.password cannot be read") == 1, "said once"
        at.write("right")
        assert await at.look(2) == ["right"]


async def test_a_camera_that_was_withdrawn_is_given_to_nobody(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.write("right")
        await at.look()
        assert "right" not in repr(at.files._files), "no log may get it"
        at.files.forget("west")
        assert await at.look(3) == []


@pytest.mark.parametrize("kind", ["pipe", "large", "folder"])
async def test_what_is_no_small_file_is_no_password_and_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    async with bench(tmp_path) as at:
        at.path.unlink()
        if kind == "pipe":
            os.mkfifo(at.path)
        elif kind == "folder":
            at.path.mkdir()
        else:
            at.path.write_bytes(b"x" * 5_000)
        async with asyncio.timeout(5):
            assert await at.look(3) == []
        with pytest.raises(PermanentError, match="cannot be read"):
            read_password(at.path, "west")
