"""What of a damaged journal is taken over, what is told to be gone, and that no position is repeated."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from integration.damage.bench import COUNT, JOURNAL, NOW, PAGE, STATE, filled, opened, overwrite, press, smash_index

from gateway.storage import verify_chains


async def test_the_newest_events_are_taken_over_under_their_positions(directory: Path) -> None:
    await filled(directory)
    smash_index(directory / JOURNAL)
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    again = await stores.journal.append(press(COUNT))
    new = await stores.journal.append(press(COUNT + 1))
    (fault,) = stores.faults
    await stores.close()
    assert [each.position for each in events] == list(range(1, COUNT + 1))
    assert again == events[-1], "a button that sends it once more is answered, and nobody is alarmed twice"
    assert new.position > COUNT
    assert f"Taken over: {COUNT} events, up to position {COUNT}" in fault.detail
    told = fault.cause
    assert (told.reason, told.figures["taken"], told.figures["up_to"]) == ("file_damaged_journal", COUNT, COUNT)
    report = verify_chains(directory)
    assert (report.broken_event, report.broken_entry) == (None, None), "the start made this gap itself"
    (begun,) = report.begun_anew
    assert (begun.position, begun.at) == (new.position, NOW)
    assert begun.file.startswith("journal.db.damaged-")


async def test_only_what_the_chain_proves_is_taken_over(directory: Path) -> None:
    await filled(directory)
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("UPDATE event SET body = replace(body, 'press-390', 'press-xxx') WHERE position = 390")
    smash_index(directory / JOURNAL)
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    await stores.close()
    assert [each.position for each in events] == list(range(391, COUNT + 1))
    assert verify_chains(directory).broken_event is None
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("UPDATE event SET body = replace(body, 'press-391', 'press-xxx') WHERE position = 391")
    assert verify_chains(directory).broken_event == 391, "what was taken over is still proven by what came before it"


async def test_a_gap_that_no_start_recorded_stays_broken(directory: Path) -> None:
    await filled(directory)
    smash_index(directory / JOURNAL)
    await (await opened(directory)).close()
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("DELETE FROM event WHERE position = 200")
    assert verify_chains(directory).broken_event == 201


@pytest.mark.parametrize("length", [100, PAGE])
@pytest.mark.parametrize("in_log", [False, True])
async def test_what_lies_under_an_overwritten_header_is_taken_over(directory: Path, length: int, in_log: bool) -> None:
    await filled(directory)
    if in_log:
        stores = await opened(directory)
        await stores.journal.append(press(COUNT + 1))
        kept = directory.with_name("kept")
        shutil.copytree(directory, kept)
        shutil.copy(directory.with_name("state.key"), kept.with_name("kept.key"))
        await stores.close()
        directory = kept
    overwrite(directory / JOURNAL, 0, length)
    content = (directory / JOURNAL).read_bytes()
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    (fault,) = stores.faults
    await stores.close()
    assert [each.position for each in events] == list(range(1, COUNT + in_log + 1))
    assert f"Taken over: {COUNT + in_log} events" in fault.detail
    assert (directory / "journal.db.damaged-20261126T163000Z").read_bytes() == content, "it is only read"
    assert not list(directory.glob("*.salvage"))
    assert verify_chains(directory).broken_event is None


async def test_what_a_destination_had_not_got_is_told_by_its_name_at_each_start(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    await stores.outbox.open("police", 100)
    await stores.outbox.settle("police", 150, low=100)
    await stores.close()
    (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
    for _ in range(2):
        stores = await opened(directory, NOW + timedelta(milliseconds=500))
        await stores.outbox.settle("police", COUNT, low=COUNT)
        (fault,) = stores.faults
        await stores.close()
        assert f"{COUNT - 100 - 1} events had not reached police; presses may be among them" in fault.detail
        assert fault.cause.figures["unsent"] == f"police: {COUNT - 100 - 1}"
        assert "tell it by other means" in fault.detail
        assert "reached office" not in fault.detail, "it had all of them"
        assert not fault.told


async def test_positions_that_never_were_count_as_lost_to_nobody(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    await stores.outbox.open("police", COUNT)
    await stores.close()
    for number in (1, 2):
        at = NOW + timedelta(hours=number)
        (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
        stores = await opened(directory, at)
        stored = await stores.journal.append_all([press(1000 * number), press(1000 * number + 1)])
        await stores.incidents.apply(stored[-1].position, ())
        faults = stores.faults
        await stores.close()
    assert [each.told for each in faults] == [True, False], "a former one is no news for a fresh journal"
    assert "2 events had not reached police" in faults[-1].detail
    assert verify_chains(directory).broken_event is None


async def test_a_journal_that_is_gone_repeats_no_position(directory: Path) -> None:
    await filled(directory)
    (directory / JOURNAL).unlink()
    stores = await opened(directory)
    stored = await stores.journal.append(press(1))
    (fault,) = stores.faults
    await stores.close()
    assert stored.position > COUNT
    assert fault.fault == "journal_cut"


@pytest.mark.parametrize("how", ["damaged", "gone"])
async def test_with_a_fresh_state_a_destination_gets_the_last_day(directory: Path, how: str) -> None:
    days = [press(number, NOW - timedelta(days=30 - number)) for number in range(1, 30)]
    await filled(directory, [*days, press(100, NOW - timedelta(hours=23)), press(101)])
    if how == "damaged":
        (directory / STATE).write_bytes(b"no database at all" * 1000)
    else:
        (directory / STATE).unlink()
    stores = await opened(directory)
    assert stores.resend_from is not None
    resent = await stores.journal.read(stores.resend_from)
    users, faults, retold = await stores.accounts.users(), stores.faults, stores.retold_before
    await stores.close()
    assert [each.event.id for each in resent] == ["press-29", "press-100", "press-101"]
    assert users == []
    assert [each.fault for each in faults] == ["file_damaged" if how == "damaged" else "state_missing"]
    assert retold == NOW
    stores = await opened(directory, NOW + timedelta(hours=1))
    assert (stores.resend_from is not None) == (how == "damaged"), "a crash before it was noted skips nothing"
    assert stores.retold_before is None
    await stores.close()
    stores = await opened(directory, NOW + timedelta(days=2))
    assert stores.resend_from is None
    await stores.close()


async def test_incidents_are_made_anew_from_the_newest_events_only(directory: Path) -> None:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, 10_051)])
    await stores.close()
    (directory / STATE).unlink()
    stores = await opened(directory)
    assert await stores.incidents.position() == 50, "of years of history none stands before a new press"
    await stores.close()
