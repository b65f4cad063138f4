"""Small parts: the folder's lock and reserve, the hash chain, filters, statements, password hashes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import PermanentError
from gateway.events import BatteryLow, Severity
from gateway.storage import Ballast, EventFilter, FolderLock, PasswordHasher, StorageBusyError, type_of
from gateway.storage.chain import GENESIS, chain_hash
from gateway.storage.statements import load_statements

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_folder_is_locked_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "state")
    with pytest.raises(StorageBusyError):
        FolderLock(tmp_path / "state")
    lock.release()
    lock.release()
    FolderLock(tmp_path / "state").release()


def test_a_folder_stays_locked_whatever_is_cleaned_away_in_it(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "state")
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    with pytest.raises(StorageBusyError):
        FolderLock(tmp_path / "state")
    lock.release()


def test_a_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match=r"file/state: cannot be used.*storage\.directory"):
        FolderLock(tmp_path / "file" / "state")


def test_the_reserve_is_given_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, 1)
    assert not ballast.give()
    assert ballast.take()
    assert (tmp_path / "reserve").stat().st_size == 1024 * 1024
    assert ballast.give()
    assert not ballast.held
    assert not ballast.give()


def test_a_reserve_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, 10**9)
    assert not ballast.take()
    assert not ballast.held


LINK = (GENESIS, 7, "press-1", b"salt", b"body")


@pytest.mark.parametrize(
    "other",
    [
        (b"\1" * 32, 7, "press-1", b"salt", b"body"),
        (GENESIS, 8, "press-1", b"salt", b"body"),
        (GENESIS, 7, "press-2", b"salt", b"body"),
        (GENESIS, 7, "press-1", b"tlas", b"body"),
        (GENESIS, 7, "press-1", b"salt", b"bodz"),
    ],
)
def test_every_part_of_a_link_counts(other: tuple[bytes, int, str, bytes, bytes]) -> None:
    assert chain_hash(*LINK) == chain_hash(*LINK)
    assert chain_hash(*LINK) != chain_hash(*other)


EVENT = BatteryLow(
    id="b-1", source="/site/s/button/b", subject="b", time=NOW, severity=Severity.LOW, device="b", battery=12
)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (EventFilter(), True),
        (EventFilter(types=("campus.button.battery_low",)), True),
        (EventFilter(types=("campus.camera.", "campus.button.")), True),
        (EventFilter(types=("campus.button.battery",)), False),
        (EventFilter(severities=(Severity.CRITICAL, Severity.LOW)), True),
        (EventFilter(severities=(Severity.CRITICAL,)), False),
        (EventFilter(source="/site/s/button"), False),
        (EventFilter(since=NOW, until=NOW), True),
        (EventFilter(since=NOW + timedelta(microseconds=1)), False),
        (EventFilter(until=NOW - timedelta(microseconds=1)), False),
    ],
)
def test_a_filter_lets_through_what_meets_all_of_it(wanted: EventFilter, passes: bool) -> None:
    assert wanted.matches(EVENT, type_of(EVENT)) is passes


def test_statements_are_found_by_name() -> None:
    assert load_statements("journal")["last"] == "SELECT position, hash FROM event ORDER BY position DESC LIMIT 1;"


async def test_a_password_is_the_hashs_or_not() -> None:
    hasher = PasswordHasher()
    hashed = await hasher.hash("长城 horse battery")
    assert hashed.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    tries = [(hashed, "长城 horse battery"), (hashed, "wrong"), ("no hash", "x")]
    assert [await hasher.verify(*each) for each in tries] == [True, False, False]
