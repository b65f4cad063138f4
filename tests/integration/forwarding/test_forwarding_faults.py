"""Outages, crashes, full disks and broken drivers: nothing is lost, and nobody else is held up."""

import asyncio
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from integration.forwarding.bench import SECRET, House, Picky, names, opened, press, until

from gateway.errors import TransientError
from gateway.events import DestinationFailing, DestinationRecovered
from gateway.forwarding import Outcome, Verdict
from gateway.simulators.office import Misbehaviour, SimulatedOffice
from gateway.storage import Stored


async def test_after_an_outage_everything_arrives_once_and_in_order(house: House, tmp_path: Path) -> None:
    async with SimulatedOffice(secret=SECRET) as office:
        await house.start(url=office.url)
        await house.append(press("before"))
        await until(lambda: office.unique)
        port = office.port
    await house.append(*(press(f"p{n}") for n in range(20)))
    await until(lambda: house.status().state == "failing")
    await until(lambda: house.status().backlog == 20)
    await until(lambda: house.status().last_error == "cannot be reached")
    async with SimulatedOffice(secret=SECRET, port=port) as office:
        await until(lambda: len(office.unique) == 20)
        assert names(office) == [f"p{n}" for n in range(20)]
        await until(lambda: house.status().state == "ok")
    failing, recovered = await house.said()
    assert isinstance(failing, DestinationFailing)
    assert isinstance(recovered, DestinationRecovered)


async def test_a_sender_that_dies_in_the_middle_again_and_again_loses_nothing(
    house: House, office: SimulatedOffice
) -> None:
    office.misbehaviour = Misbehaviour(fail_rate=0.15, lose_rate=0.3)
    await house.append(*(press(f"{device}-{n}", device) for n in range(20) for device in ("b1", "b2", "b3")))

    def has(count: int) -> bool:
        return len(office.unique) >= count

    for arrived in (5, 15, 25, 40):
        await house.start(url=office.url)
        await until(partial(has, arrived))
        await house.forwarders.remove("office")
    await house.start(url=office.url)
    office.misbehaviour = Misbehaviour(drop_after=office.requests)
    await until(lambda: house.status().state == "failing")
    office.misbehaviour = Misbehaviour()
    await until(lambda: house.status().backlog == 0)
    by_source = defaultdict(list)
    for each in office.unique.values():
        by_source[each["subject"]].append(each["id"])
    assert by_source == {device: [f"{device}-{n}" for n in range(20)] for device in ("b1", "b2", "b3")}
    assert len(office.received) > 60, "no answer was lost, so nothing was tried"


async def test_a_crash_between_taking_and_settling_sends_the_same_id_again(house: House) -> None:
    class Dying:
        """The process dies before the outbox has written."""

        def __getattr__(self, name: str) -> Any:
            async def never(*_arguments: Any, **_more: Any) -> None:
                await asyncio.Event().wait()

            return getattr(house.stores.outbox, name) if name == "open" else never

    sink = house.sinks["office"] = Picky()
    house.outbox = Dying()
    await house.start()
    await house.append(press("p1"))
    await until(lambda: sink.taken == ["p1"])
    house.outbox = house.stores.outbox
    await house.start()
    await until(lambda: sink.taken == ["p1", "p1"])


async def test_a_full_disk_ends_nothing_and_asks_the_receiver_once(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forwarding.forwarder._STORE_RETRY_SECONDS", 0.01)
    full = [True]

    class Full:
        def __getattr__(self, name: str) -> Any:
            async def work(*arguments: Any, **more: Any) -> Any:
                if full[0] and name != "open":
                    raise TransientError("no room")
                return await getattr(house.stores.outbox, name)(*arguments, **more)

            return work

    sink = house.sinks["office"] = Picky()
    house.outbox = Full()
    await house.start()
    await house.append(press("p1"), press("p2"))
    await until(lambda: "waits for the store" in caplog.text)
    full[0] = False
    await until(lambda: house.status().backlog == 0)
    assert sink.asked == ["p1", "p2"]


async def test_a_driver_that_fails_is_a_failed_try(house: House) -> None:
    sink = house.sinks["office"] = Picky()

    def fail(_stored: Stored) -> Outcome:
        raise ValueError("s3cr3t")

    sink.answer = fail
    await house.start()
    await house.append(press("p1"))
    await until(lambda: house.status().state == "failing")
    assert house.status().last_error == "the driver failed (ValueError)"
    sink.answer = lambda _stored: Outcome(Verdict.ACCEPTED)
    await until(lambda: sink.taken)


async def test_a_stalled_receiver_holds_up_no_other(house: House, office: SimulatedOffice) -> None:
    async with SimulatedOffice(secret=SECRET, misbehaviour=Misbehaviour(stall=True)) as stalled:
        await house.start("police", url=stalled.url)
        await house.start("office", url=office.url)
        await house.append(*(press(f"p{n}", f"btn-{n}") for n in range(40)))
        await until(lambda: len(office.unique) == 40)
        assert stalled.unique == {}


async def test_one_that_dies_begins_anew_and_harms_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.forwarding.fleet._AGAIN_SECONDS", 0.01)
    failures = [RuntimeError("a bug"), TransientError("no room")]

    class Breaking:
        def __getattr__(self, name: str) -> Any:
            if name == "open" and failures:
                raise failures.pop()
            return getattr(house.stores.outbox, name)

    sink = house.sinks["office"] = Picky()
    house.outbox = Breaking()
    await house.start()
    await house.append(press("p1"))
    await until(lambda: sink.taken == ["p1"])
    assert "died and begins anew" in caplog.text


async def test_after_the_journal_was_lost_nothing_new_is_skipped(tmp_path: Path, office: SimulatedOffice) -> None:
    async with opened(tmp_path / "state") as house:
        await house.start(url=office.url)
        await house.append(*(press(f"old{n}") for n in range(30)))
        await until(lambda: len(office.unique) == 30)
        await until(lambda: house.status().backlog == 0)
    (tmp_path / "state" / "journal.db").write_bytes(b"no database at all" * 1000)
    async with opened(tmp_path / "state") as house:
        await house.start(url=office.url)
        await house.append(*(press(f"new{n}") for n in range(5)))
        await until(lambda: len(office.unique) == 35)
        await until(lambda: house.status().backlog == 0)
        low = (await house.stores.outbox.open("office", 0)).low
        assert low == house.stores.journal.last_position, "the gap does not hold it up for ever"
    assert names(office)[30:] == [f"new{n}" for n in range(5)]
    assert len(office.received) == 35
