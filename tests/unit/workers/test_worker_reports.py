"""Findings on their way to the ports: in order, tried again, bounded; and requests paired with replies."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError, TransientError
from gateway.events import CameraLost, Event
from gateway.settings import CameraSettings
from gateway.wire import IdentifyReply
from gateway.workers import WorkerAwayError
from gateway.workers.assignment import assignment, password_of
from gateway.workers.process import child_environment
from gateway.workers.replies import Replies
from gateway.workers.reports import ReportQueue


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Port:
    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.got: list[str] = []

    async def take(self, what: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.got.append(what)


async def nobody(events: Sequence[Event]) -> None:
    pytest.fail(f"no event was put, but {events} came")


async def run(queue: ReportQueue, clock: ManualClock, seconds: int = 0) -> None:
    task = asyncio.create_task(queue.run())
    await settled()
    for _ in range(seconds):
        clock.advance(1)
        await settled()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_fails_for_now_is_tried_again_before_what_is_behind_it() -> None:
    clock, port = ManualClock(), Port(TransientError("disk full"), TransientError("disk full"))
    queue = ReportQueue(clock, nobody)
    for what in ("first", "second"):
        queue.put(what, partial(port.take, what))
    await run(queue, clock, seconds=1)
    assert port.got == []
    await run(queue, clock, seconds=2)
    assert port.got == ["first", "second"]


@pytest.mark.parametrize("fault", [PermanentError("refused"), ZeroDivisionError()])
async def test_one_finding_that_is_refused_does_not_hold_up_the_others(fault: Exception) -> None:
    clock, port = ManualClock(), Port(fault)
    queue = ReportQueue(clock, nobody)
    for what in ("first", "second"):
        queue.put(what, partial(port.take, what))
    await run(queue, clock)
    assert port.got == ["second"]


async def test_a_flood_keeps_the_oldest(caplog: pytest.LogCaptureFixture) -> None:
    clock, port = ManualClock(), Port()
    queue = ReportQueue(clock, nobody)
    for number in range(3000):
        queue.put(str(number), partial(port.take, str(number)))
    await run(queue, clock)
    assert port.got == [str(number) for number in range(2000)]
    assert len([record for record in caplog.records if "dropped" in record.getMessage()]) == 1


class Journal:
    """Takes events together, all or nothing; one of `poisoned` is refused, and the first `full` calls find no room."""

    def __init__(self, *, poisoned: str = "", full: int = 0) -> None:
        self.commits: list[list[str]] = []
        self._poisoned, self._full = poisoned, full

    async def take(self, events: Sequence[Event]) -> None:
        if self._full:
            self._full -= 1
            raise TransientError("disk full")
        if self._poisoned in {event.id for event in events}:
            raise PermanentError("refused")
        self.commits.append([event.id for event in events])
        await asyncio.sleep(0)


def event(number: int) -> Event:
    now = ManualClock().now()
    return CameraLost(id=str(number), source="/s", subject="cam", time=now, camera="cam", reason="stalled")


async def test_events_that_wait_are_stored_together_and_nothing_overtakes() -> None:
    clock, journal = ManualClock(), Journal()
    queue = ReportQueue(clock, journal.take)

    async def picture() -> None:
        journal.commits.append(["picture"])

    for number in range(250):
        queue.put_event(event(number))
    queue.put("picture", picture)
    queue.put_event(event(250))
    await run(queue, clock)
    assert [len(each) for each in journal.commits] == [100, 100, 50, 1, 1]
    assert list(chain.from_iterable(journal.commits)) == [*map(str, range(250)), "picture", "250"]


async def test_an_event_that_is_refused_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    clock, journal = ManualClock(), Journal(poisoned="3")
    queue = ReportQueue(clock, journal.take)
    for number in range(6):
        queue.put_event(event(number))
    await run(queue, clock)
    assert list(chain.from_iterable(journal.commits)) == ["0", "1", "2", "4", "5"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_events_that_find_no_room_wait_in_their_order(caplog: pytest.LogCaptureFixture) -> None:
    clock, journal = ManualClock(), Journal(full=4)
    queue = ReportQueue(clock, journal.take)
    for number in range(6):
        queue.put_event(event(number))
    await run(queue, clock, seconds=1)
    assert journal.commits == []
    await run(queue, clock, seconds=5)
    assert list(chain.from_iterable(journal.commits)) == [*map(str, range(6))]
    assert [record.levelname for record in caplog.records] == ["ERROR"], "said once"


async def test_replies_find_their_requests() -> None:
    replies = Replies("gallery")
    sent: list[int] = []

    def send(number: int) -> bool:
        sent.append(number)
        return True

    first, second = (asyncio.create_task(replies.ask(send, 5)) for _ in range(2))
    await settled()
    for number in reversed(sent):
        replies.answer(number, IdentifyReply(request=number))
    assert [(await each).request for each in (first, second)] == sent  # type: ignore[attr-defined]  # an IdentifyReply
    replies.answer(99, IdentifyReply(request=99))


async def test_silence_death_and_refusal_are_errors_that_say_who() -> None:
    replies = Replies("gallery")
    with pytest.raises(WorkerAwayError, match=r"gallery did not answer within 0\.01 s"):
        await replies.ask(lambda _: True, 0.01)
    with pytest.raises(WorkerAwayError, match="cannot take"):
        await replies.ask(lambda _: False, 1)
    waiting = asyncio.create_task(replies.ask(lambda _: True, 5))
    await settled()
    replies.fail_all()
    with pytest.raises(WorkerAwayError, match="ended"):
        await waiting


async def test_the_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss word\n")
    camera = CameraSettings(id="c", url="rtsp://127.0.0.1/", username="u", password_file=file)
    assigned = assignment(camera, await password_of(camera))
    assert (assigned.password, assigned.name) == ("p@ss word", "c")
    assert "p@ss" not in repr(assigned)
    file.unlink()
    with pytest.raises(PermanentError, match="password file"):
        await password_of(camera)


def test_a_child_gets_no_secret_of_the_environment() -> None:
    ours = {"PATH": "/bin", "GATEWAY_API__TOKEN": "x", "CREDENTIALS_DIRECTORY": "/run", "NOTIFY_SOCKET": "/run/n"}
    given = child_environment(ours)
    assert given["PATH"] == "/bin"
    assert given["OPENBLAS_NUM_THREADS"] == "1"
    assert given["ORT_DISABLE_TELEMETRY"] == "1"
    assert not {"GATEWAY_API__TOKEN", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"} & given.keys()


def test_a_child_writes_no_compiled_code_where_its_parent_does_not() -> None:
    assert child_environment({"PYTHONDONTWRITEBYTECODE": "1"})["PYTHONDONTWRITEBYTECODE"] == "1"
