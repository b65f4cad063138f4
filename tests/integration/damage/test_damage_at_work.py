"""Damage that is met while the gateway runs: whoever meets it tells, and the next start puts it aside."""

import asyncio
import shutil
from pathlib import Path

import pytest
from integration.damage.bench import COUNT, JOURNAL, STATE, filled, opened, press, smash_middle

from gateway.storage import StorageDamagedError, note_damage


async def test_damage_that_a_reader_meets_ends_the_journal_and_the_next_start_puts_it_aside(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    smash_middle(directory / JOURNAL)
    with pytest.raises(StorageDamagedError, match=JOURNAL):
        await stores.journal.read(0, 2 * COUNT)
    error = await asyncio.wait_for(stores.journal.failed, 5)
    await stores.close()
    assert error.where == str(directory / JOURNAL)


async def test_damage_that_the_writer_meets_ends_the_journal(directory: Path) -> None:
    await filled(directory, [press(number) for number in range(1, 5001)])
    stores = await opened(directory)
    smash_middle(directory / JOURNAL)
    with pytest.raises(StorageDamagedError, match=rf"{JOURNAL}.*it is damaged"):
        await stores.journal.append_all([press(number) for number in range(10, 5000, 7)])
    error = await asyncio.wait_for(stores.journal.failed, 5)
    await stores.close()
    assert isinstance(error, StorageDamagedError)


async def test_damage_of_the_state_is_told_by_whoever_meets_it(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    smash_middle(directory / STATE)
    with pytest.raises(StorageDamagedError, match=STATE):
        await stores.audit.entries()
    error = await asyncio.wait_for(asyncio.shield(stores.state_damaged), 5)
    await stores.close()
    assert error.where == str(directory / STATE)


async def test_what_was_noted_while_it_ran_is_put_aside_at_the_next_start_however_whole(directory: Path) -> None:
    await filled(directory)
    note_damage(StorageDamagedError("a page of it", where=str(directory / JOURNAL)))
    stores = await opened(directory)
    kept = await stores.journal.read(0, 2 * COUNT)
    await stores.close()
    assert len(kept) == COUNT
    assert (directory / "journal.db.damaged-20261126T163000Z").is_file()
    assert not (directory / "journal.db.suspect").exists()


async def test_a_file_that_took_the_place_of_a_noted_one_is_not_suspected(directory: Path) -> None:
    await filled(directory)
    shutil.copy(directory / JOURNAL, directory / "repaired")
    note_damage(StorageDamagedError("a page of it", where=str(directory / JOURNAL)))
    (directory / "repaired").rename(directory / JOURNAL)
    stores = await opened(directory)
    await stores.close()
    assert stores.faults == ()
    assert not (directory / "journal.db.suspect").exists()
