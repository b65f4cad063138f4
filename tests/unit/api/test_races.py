"""What the journal takes while a page of it is read is on the next page: no event falls in between."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from gateway.api.auth import Principal, still_allowed
from gateway.api.hub import EventHub
from gateway.api.routes.events import events
from gateway.api.routes.protection import _ways
from gateway.api.routes.site import retry_destination
from gateway.clock import ManualClock
from gateway.events import ButtonPressed, Severity, encode
from gateway.forwarding import Outcome, Verdict
from gateway.storage import DeadLetter, Session, Stored, User

NOW = datetime(2026, 11, 26, tzinfo=UTC)
PROGRAM = Principal(name="token x", role="viewer", key="k", by_cookie=False)


def press(position: int) -> Stored:
    name = f"press-{position}"
    event = ButtonPressed(id=name, source="/s", subject="b", time=NOW, severity=Severity.CRITICAL, device="b")
    return Stored(position, event, encode(event))


class Growing:
    """A journal that takes one more event while it is read, behind what the reader's look holds."""

    def __init__(self, count: int) -> None:
        self.events = [press(number) for number in range(1, count + 1)]

    @property
    def last_position(self) -> int:
        return self.events[-1].position

    def _grow(self) -> None:
        self.events.append(press(len(self.events) + 1))

    async def read(self, after: int = 0, limit: int = 500, _wanted: object = None) -> list[Stored]:
        page = self.events[after : after + limit]
        self._grow()
        return page

    async def tail(self, limit: int, _wanted: object = None) -> list[Stored]:
        page = self.events[-limit:]
        self._grow()
        return page

    async def at(self, positions: list[int]) -> list[Stored]:
        return [each for each in self.events if each.position in positions]


async def test_a_stream_that_resumes_far_behind_misses_nothing() -> None:
    journal: Any = Growing(3)
    hub = EventHub(journal, ManualClock())
    cursor, found = await hub.frames_after(0, None)
    assert found.count(b"id: ") == 3
    assert cursor == 3, "what came meanwhile is behind it"


async def test_the_newest_events_say_where_to_go_on_without_a_gap() -> None:
    parts: Any = SimpleNamespace(stores=SimpleNamespace(journal=Growing(3)))
    answer = await events(PROGRAM, parts, None, last=2)
    assert [each["position"] for each in answer["items"]] == [2, 3]
    assert answer["next"] == 3
    withheld: Any = SimpleNamespace(stores=SimpleNamespace(journal=Growing(3)))
    empty = await events(PROGRAM, withheld, None, last=1)
    assert empty["next"] == 3


async def test_a_dead_letter_whose_event_is_gone_is_not_taken_for_another_event() -> None:
    """The journal was begun anew behind it."""
    tried: list[str] = []

    async def retry_dead(stored: Stored) -> Outcome:
        tried.append(stored.event.id)
        return Outcome(Verdict.ACCEPTED)

    async def dead_letters(_destination: str, _limit: int) -> list[DeadLetter]:
        return [DeadLetter(2, "press-2", "422", NOW), DeadLetter(3, "of the journal before", "422", NOW)]

    async def note(**_entry: object) -> None:
        pass

    journal = Growing(4)
    forwarder = SimpleNamespace(retry_now=lambda: None, retry_dead=retry_dead)
    parts: Any = SimpleNamespace(
        stores=SimpleNamespace(
            journal=journal, outbox=SimpleNamespace(dead_letters=dead_letters), audit=SimpleNamespace(append=note)
        ),
        forwarders=SimpleNamespace(get=lambda _name: forwarder),
        clock=ManualClock(),
    )
    journal.events = [each for each in journal.events if each.position != 1]
    answer = await retry_destination("office", PROGRAM, parts)
    assert tried == ["press-2"]
    assert answer["dead_letters_delivered"] == 1


async def test_a_long_answer_ends_when_the_account_has_another_role() -> None:
    """A guard who is a viewer from now on sees no live picture any more."""
    user = User(name="wang", role="guard", password="", created=NOW)
    session = Session(key="k", user="wang", created=NOW, seen=NOW, ends=NOW.replace(year=2027))
    roles = iter(["guard", "viewer"])

    async def session_of(_key: str) -> tuple[Session, User]:
        return session, User(name=user.name, role=next(roles), password="", created=NOW)

    parts: Any = SimpleNamespace(
        stores=SimpleNamespace(accounts=SimpleNamespace(session=session_of)),
        settings=SimpleNamespace(api=SimpleNamespace(session_idle_minutes=60)),
        posts=SimpleNamespace(all=tuple),
        clock=ManualClock(NOW),
    )
    caller = Principal(name="wang", role="guard", key="k", by_cookie=True)
    assert await still_allowed(parts, caller)
    assert not await still_allowed(parts, caller)


def test_on_a_full_disk_no_press_reaches_the_office() -> None:
    journal = SimpleNamespace(works=False, failed=SimpleNamespace(done=lambda: False))
    parts: Any = SimpleNamespace(
        stores=SimpleNamespace(journal=journal),
        installation=SimpleNamespace(destinations=SimpleNamespace(all=list)),
        forwarders=SimpleNamespace(statuses=tuple),
        accepting=lambda: True,
        endpoint=lambda: None,
        brokers=tuple,
    )
    assert not _ways(parts).stored
