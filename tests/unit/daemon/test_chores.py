"""Tasks beside the alarm path: none of their faults ends it."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from unit.incidents.memory import incident

from gateway.clock import ManualClock
from gateway.daemon.chores import Chores, Failing, keep_going, without_harm
from gateway.daemon.notify import ServiceManager
from gateway.errors import TransientError
from gateway.events import Cause, FaceVerified
from gateway.settings import EvidenceSettings
from gateway.storage import StorageFailedError

NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def test_a_fault_of_ours_is_told_once_and_the_task_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.daemon.chores._PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("gateway.daemon.chores._RETRY_SECONDS", 0.0)
    faults = [IndexError("a projection does not fit"), TransientError("the disk is full"), IndexError("still not")]
    told: list[tuple[str, str]] = []
    again = asyncio.Event()

    async def work() -> None:
        if faults:
            raise faults.pop(0)
        again.set()
        await asyncio.Event().wait()

    async def report(cause: Cause) -> None:
        told.append((cause.fault, cause.words))
        raise TransientError("the disk is full")

    failing = Failing()
    task = asyncio.create_task(keep_going(work, "escalation", report, failing))
    await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told == [("task_failed", "escalation: IndexError")]
    assert failing.names == ("escalation",)


async def test_a_task_fails_until_it_has_run_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.daemon.chores._HEALED_SECONDS", 0.0)
    failing = Failing()
    failing.note("incident desk")
    failing.note("incident desk")
    assert failing.names == ("incident desk",)
    await asyncio.sleep(0.05)
    assert not failing.names


async def test_a_disk_that_failed_still_ends_the_daemon() -> None:
    async def work() -> None:
        raise StorageFailedError("the disk answered: I/O error")

    async def report(_cause: Cause) -> None:
        pytest.fail("nothing can be stored")

    with pytest.raises(StorageFailedError):
        await keep_going(work, "escalation", report, Failing())


async def test_a_judgement_that_cannot_be_kept_now_is_kept_later() -> None:
    """Its evidence would go when that of an unconfirmed match goes."""
    full, kept = [TransientError("the disk is full")], list[tuple[str, datetime]]()

    async def keep_until(event: str, until: datetime) -> None:
        if full:
            raise full.pop()
        kept.append((event, until))

    stores: Any = SimpleNamespace(evidence=SimpleNamespace(keep_until=keep_until))
    nothing: Any = None
    chores = Chores(stores, nothing, EvidenceSettings(confirmed_days=90), ManualClock(), ServiceManager(""))
    judged = FaceVerified(
        id="v", source="/s", subject="c", time=NOW, camera="c", incident="i", match="m", verdict="confirmed", actor="a"
    )
    chores.note_transition(incident(), judged)
    with pytest.raises(TransientError):
        await chores.keep_judged()
    task = asyncio.create_task(chores.keep_judged())
    async with asyncio.timeout(5):
        while not kept:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert kept == [("m", NOW + timedelta(days=90))]


async def test_what_cannot_begin_anew_ends_alone_and_is_told() -> None:
    told: list[Cause] = []

    async def report(cause: Cause) -> None:
        told.append(cause)

    async def fails() -> None:
        raise ExceptionGroup("children", [RuntimeError("a fault of ours")])

    await without_harm(fails, "workers", report)
    assert [(each.fault, each.figures) for each in told] == [
        ("task_ended", {"task": "workers", "error": "ExceptionGroup"})
    ]

    async def broken() -> None:
        raise StorageFailedError("the disk failed")

    with pytest.raises(StorageFailedError):
        await without_harm(broken, "workers", report)
