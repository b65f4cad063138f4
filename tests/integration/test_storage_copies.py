"""Backup, restore and the check of the chains, beside a running gateway and without one."""

import fcntl
import gzip
import io
import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.errors import PermanentError
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import (
    ChainReport,
    Evidence,
    StorageBusyError,
    StorageFailedError,
    Stores,
    back_up,
    copies,
    open_storage,
    restore,
    verify_chains,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def press(number: int) -> ButtonPressed:
    return ButtonPressed(id=f"press-{number}", source="/site/s/button/b", subject="b", time=NOW, device="b")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def opened(directory: Path, key: Path | None = None) -> Stores:
    settings = StorageSettings(directory=directory, reserve_megabytes=1, key_file=key)
    return await open_storage(settings, SystemClock())


async def filled(directory: Path) -> Stores:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, 6)])
    await stores.audit.append(at=NOW, actor="wang", action="user.add", subject="li")
    picture = Evidence(id="e-1", event="press-1", camera="c", person="", kind="scene", created=NOW, purge_after=NOW)
    await stores.evidence.keep(picture, b"picture")
    return stores


@pytest.mark.parametrize("running", [True, False])
async def test_a_backup_restores_everything(directory: Path, tmp_path: Path, running: bool) -> None:
    stores = await filled(directory)
    if not running:
        await stores.close()
    back_up(directory, tmp_path / "copy.tar")
    if running:
        await stores.close()
    restore(tmp_path / "copy.tar", tmp_path / "new")
    again = await opened(tmp_path / "new", tmp_path / "state.key")
    found = await again.evidence.open("e-1")
    kept = [each.event.id for each in await again.journal.read()]
    entries = await again.audit.entries()
    await again.close()
    assert kept == [f"press-{number}" for number in range(1, 6)]
    assert found is not None
    assert found[1] == b"picture"
    assert [each.subject for each in entries] == ["li"]


async def test_a_backup_is_private_and_holds_no_key(directory: Path, tmp_path: Path) -> None:
    stores = await filled(directory)
    back_up(directory, tmp_path / "copy.tar")
    await stores.close()
    assert _mode(tmp_path / "copy.tar") == 0o600
    assert _names(tmp_path / "copy.tar") == ["evidence", "evidence/e-1", "journal.db", "state.db"]
    assert _content(tmp_path / "state.key") not in _content(tmp_path / "copy.tar")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return sorted(archive.getnames())


def _content(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_backup_that_fails_leaves_the_one_before(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"no state yet \(no state\.db\)"):
        back_up(directory, tmp_path / "copy.tar")
    assert os.listdir(tmp_path) == []
    stores = await filled(directory)
    before = os.listdir(tmp_path)
    with pytest.raises(PermanentError, match="cannot be written"):
        back_up(directory, tmp_path / "nowhere" / "copy.tar")
    await stores.close()
    assert os.listdir(tmp_path) == before


@pytest.mark.parametrize("name", ["state/journal.db", "state/copy.tar", "link/state.db", "notes.txt", "other.tar"])
async def test_a_backup_takes_the_place_of_a_former_one_only(directory: Path, tmp_path: Path, name: str) -> None:
    """A journal that is replaced while the gateway writes it would take every press since with it."""
    stores = await filled(directory)
    (tmp_path / "link").symlink_to(directory)
    (tmp_path / "notes.txt").write_text("master key")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "notes.txt", "notes.txt")
    target = tmp_path / name
    before = _content(target) if target.exists() else None
    with pytest.raises(PermanentError, match=r"in the state folder itself|no backup of a gateway"):
        back_up(directory, target)
    assert (_content(target) if target.exists() else None) == before
    await stores.close()


@pytest.mark.parametrize("kind", ["fifo", "link"])
async def test_a_backup_takes_the_place_of_nothing_but_a_file(directory: Path, tmp_path: Path, kind: str) -> None:
    stores = await filled(directory)
    target = tmp_path / "out"
    if kind == "fifo":
        os.mkfifo(target)
    else:
        target.symlink_to("/dev/null")
    with pytest.raises(PermanentError, match="is no file"):
        back_up(directory, target)
    assert target.is_fifo() or target.is_symlink()
    await stores.close()


async def test_what_a_killed_backup_left_is_removed_by_the_next(directory: Path, tmp_path: Path) -> None:
    stores = await filled(directory)
    names = {name: tmp_path / f".campus-gateway-backup-{name}" for name in ("left", "working", "fresh", "mixed")}
    names["others"] = tmp_path / ".backup-2025"
    for each in names.values():
        each.mkdir()
        (each / "state.db").write_bytes(b"accounts")
    (names["mixed"] / "photos").mkdir()
    for each in (*names.values(), tmp_path / ".campus-gateway-backup-note"):
        each.touch()
        os.utime(each, (0, 0))
    os.utime(names["fresh"])
    descriptor = os.open(names["working"], os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    back_up(directory, tmp_path / "copy.tar")
    back_up(directory, tmp_path / "copy.tar")
    os.close(descriptor)
    assert {name for name, path in names.items() if path.exists()} == {"working", "fresh", "mixed", "others"}
    assert (tmp_path / ".campus-gateway-backup-note").exists()
    await stores.close()


async def test_nothing_is_restored_over_state_or_a_running_gateway(directory: Path, tmp_path: Path) -> None:
    stores = await filled(directory)
    back_up(directory, tmp_path / "copy.tar")
    with pytest.raises(StorageBusyError):
        restore(tmp_path / "copy.tar", directory)
    await stores.close()
    with pytest.raises(PermanentError, match="there is state already"):
        restore(tmp_path / "copy.tar", directory)


async def test_a_restore_that_was_cut_off_is_no_state_and_is_done_again(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a state starts like a whole one, and knows nobody."""
    stores = await filled(directory)
    back_up(directory, tmp_path / "copy.tar")
    await stores.close()
    new = tmp_path / "new"
    with monkeypatch.context() as cut:
        cut.setattr(copies, "damage_of", lambda *_a, **_k: "cut off here")
        with pytest.raises(PermanentError, match="cut off here"):
            restore(tmp_path / "copy.tar", new)
    with pytest.raises(PermanentError, match="a restore into it was cut off"):
        await opened(new, directory.with_name("state.key"))
    restore(tmp_path / "copy.tar", new)
    stores = await opened(new, directory.with_name("state.key"))
    assert stores.journal.last_position == 5
    await stores.close()


def test_links_in_an_archive_are_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for name in ("state.db", "journal.db"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        for name, kind in (("hard", tarfile.LNKTYPE), ("soft", tarfile.SYMTYPE), ("pipe", tarfile.FIFOTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
    restore(tmp_path / "links.tar", tmp_path / "new")
    assert {each.name for each in (tmp_path / "new").iterdir()} == {"state.db", "journal.db"}


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(PermanentError, match="is no backup of a gateway") as caught:
        restore(tmp_path / "text", tmp_path / "new")
    assert "\n" not in str(caught.value)
    with pytest.raises(PermanentError, match="cannot be unpacked: No such file"):
        restore(tmp_path / "none", tmp_path / "new")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("readme"), io.BytesIO())
    with pytest.raises(PermanentError, match="no backup"):
        restore(tmp_path / "other.tar", tmp_path / "new")


@pytest.mark.parametrize(
    "content",
    [b"\x1f\x8b\x08", gzip.compress(b"x" * 2000, mtime=0)[:-9], b"\xfd7zXZ\x00\x00", b"BZh9"],
    ids=["head of gzip", "cut gzip", "head of xz", "head of bzip2"],
)
async def test_a_cut_archive_is_told_and_kept(directory: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cut.tar.gz").write_bytes(content)
    with pytest.raises(PermanentError, match=r"no backup|cannot be unpacked"):
        restore(tmp_path / "cut.tar.gz", tmp_path / "new")
    stores = await filled(directory)
    with pytest.raises(PermanentError, match="no backup"):
        back_up(directory, tmp_path / "cut.tar.gz")
    await stores.close()
    assert (tmp_path / "cut.tar.gz").read_bytes() == content


def test_no_file_gets_out_of_the_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        for name in ("state.db", "journal.db", "../outside"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(PermanentError, match="leads out of the folder"):
        restore(tmp_path / "evil.tar", tmp_path / "new")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("running", [True, False])
async def test_both_chains_are_checked_where_they_lie(directory: Path, running: bool) -> None:
    stores = await filled(directory)
    if not running:
        await stores.close()
    assert verify_chains(directory) == ChainReport(5, None, None)
    await stores.close()
    with closing(sqlite3.connect(directory / "journal.db")) as journal, journal:
        journal.execute("UPDATE event SET id = 'x' WHERE position = 2")
    with closing(sqlite3.connect(directory / "state.db")) as state, state:
        state.execute("UPDATE audit SET actor = 'x'")
    assert verify_chains(directory) == ChainReport(5, 2, 1)


async def test_a_damaged_file_is_told(directory: Path) -> None:
    await (await filled(directory)).close()
    (directory / "journal.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageFailedError, match=r"journal\.db"):
        verify_chains(directory)
