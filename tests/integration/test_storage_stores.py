"""The stores of ``state.db``, each on a real file that is opened again between writing and reading."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.events import Severity
from gateway.settings import StorageSettings
from gateway.storage import (
    ApiToken,
    Delivery,
    DistanceRow,
    Entry,
    FaceWarning,
    Failures,
    Incident,
    OutboxState,
    Session,
    Stores,
    Trigger,
    User,
    open_storage,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class House:
    """Stores that can be closed and opened again."""

    def __init__(self, directory: Path) -> None:
        self.settings = StorageSettings(directory=directory, reserve_megabytes=1)
        self.stores: Stores

    async def open(self) -> Stores:
        self.stores = await open_storage(self.settings, ManualClock(NOW))
        return self.stores

    async def again(self) -> Stores:
        await self.stores.close()
        return await self.open()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path / "state")
    await house.open()
    yield house
    await house.stores.close()


# --- outbox


async def test_a_new_destination_begins_where_it_is_told_and_an_old_one_where_it_was(house: House) -> None:
    outbox = house.stores.outbox
    assert await outbox.open("office", 40) == OutboxState(40, frozenset())
    assert await outbox.open("office", 99) == OutboxState(40, frozenset())
    assert await (await house.again()).outbox.open("office", 99) == OutboxState(40, frozenset())


async def test_what_was_settled_out_of_order_survives(house: House) -> None:
    outbox = house.stores.outbox
    await outbox.open("office", 0)
    await outbox.settle("office", 5, low=0)
    await outbox.settle("office", 7, low=0)
    await outbox.settle("office", 1, low=1)
    outbox = (await house.again()).outbox
    assert await outbox.open("office", 0) == OutboxState(1, frozenset({5, 7}))
    await outbox.settle("office", 4, low=5)
    assert await outbox.open("office", 0) == OutboxState(5, frozenset({7}))
    await outbox.settle("office", 2, low=3)  # late and lower: the mark never goes back
    assert await outbox.open("office", 0) == OutboxState(5, frozenset({7}))


async def test_a_refusal_is_a_dead_letter_and_settled_at_once(house: House) -> None:
    outbox = house.stores.outbox
    await outbox.open("office", 0)
    await outbox.refuse("office", 1, "press-1", "410 Gone", low=1, at=NOW)
    outbox = (await house.again()).outbox
    assert await outbox.open("office", 0) == OutboxState(1, frozenset(), dead=1)
    (letter,) = await outbox.dead_letters("office")
    assert (letter.position, letter.event, letter.reason, letter.at) == (1, "press-1", "410 Gone", NOW)
    assert await outbox.remove_dead("office", 1)
    assert not await outbox.remove_dead("office", 1)
    assert await outbox.dead_letters("office") == []


async def test_the_history_of_deliveries_is_bounded_for_each_destination(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.outbox._HISTORY", 3)
    outbox = house.stores.outbox
    await outbox.record("police", Delivery(1, "press-1", "accepted", 1, "", NOW))
    for position in range(1, 6):
        await outbox.record("office", Delivery(position, f"press-{position}", "retrying", 2, "timed out", NOW))
    assert [each.position for each in await outbox.deliveries("office")] == [5, 4, 3]
    assert await outbox.deliveries("office", 1) == [Delivery(5, "press-5", "retrying", 2, "timed out", NOW)]
    assert [each.position for each in await outbox.deliveries("police")] == [1]


async def test_a_forgotten_destination_leaves_nothing_and_the_others_stay(house: House) -> None:
    outbox = house.stores.outbox
    for name in ("office", "police"):
        await outbox.open(name, 0)
        await outbox.refuse(name, 3, "press-3", "no", low=0, at=NOW)
        await outbox.record(name, Delivery(3, "press-3", "refused", 1, "no", NOW))
    await outbox.forget("office")
    assert await outbox.open("office", 9) == OutboxState(9, frozenset())
    assert await outbox.dead_letters("office") == []
    assert await outbox.deliveries("office") == []
    assert await outbox.open("police", 9) == OutboxState(0, frozenset({3}), dead=1)


# --- incidents


def incident(number: int, **changes: object) -> Incident:
    made = Incident(
        id=f"incident-{number}",
        state="raised",
        severity=Severity.CRITICAL,
        kind="campus.button.pressed",
        source="/site/s/button/b",
        subject="b",
        title="东门岗亭",
        place="East gate",
        opened=NOW + timedelta(seconds=number),
        updated=NOW + timedelta(seconds=number),
        triggers=(Trigger("press-1", 1),),
        events=(1, 2),
        discreet=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of the caller's choice


async def test_incidents_and_the_position_are_kept_together(house: House) -> None:
    await house.stores.incidents.apply(7, [incident(1), incident(2)], ("command-1", '{"a":1}'))
    incidents = (await house.again()).incidents
    assert await incidents.position() == 7
    assert await incidents.get("incident-1") == incident(1)
    assert await incidents.command("command-1") == '{"a":1}'
    assert await incidents.command("command-2") is None
    assert await incidents.get("incident-9") is None


async def test_the_first_result_of_a_command_stays(house: House) -> None:
    incidents = house.stores.incidents
    await incidents.apply(1, [], ("command-1", "first"))
    await incidents.apply(2, [], ("command-1", "second"))
    assert await incidents.command("command-1") == "first"


async def test_the_position_never_goes_back_but_by_a_rebuild(house: House) -> None:
    incidents = house.stores.incidents
    await incidents.apply(7, [incident(1)])
    await incidents.apply(5, [])
    assert await incidents.position() == 7
    await incidents.clear()
    assert await incidents.position() == 0
    assert await incidents.list() == []


async def test_incidents_are_paged_newest_first_by_state(house: House) -> None:
    incidents = house.stores.incidents
    await incidents.apply(9, [incident(n, state="resolved" if n % 2 else "raised") for n in range(6)])
    first = await incidents.list(("raised",), limit=2)
    assert [each.id for each in first] == ["incident-4", "incident-2"]
    rest = await incidents.list(("raised",), limit=2, before=first[-1].id)
    assert [each.id for each in rest] == ["incident-0"]
    assert len(await incidents.list()) == 6
    assert [each.id for each in await incidents.unresolved()] == ["incident-0", "incident-2", "incident-4"]


async def test_the_open_incident_of_a_source_is_the_newest_unresolved(house: House) -> None:
    incidents = house.stores.incidents
    await incidents.apply(3, [incident(1), incident(2), incident(3, state="resolved")])
    found = await incidents.find_open("/site/s/button/b", "campus.button.pressed")
    assert found == incident(2)
    assert await incidents.find_open("/site/s/button/b", "campus.button.lost") is None


# --- accounts


def user(name: str = "wang") -> User:
    return User(name=name, role="guard", password="$argon2id$…", created=NOW)


def session(key: str = "k1") -> Session:
    return Session(key=key, user="wang", created=NOW, seen=NOW, ends=NOW + timedelta(hours=24))


async def test_accounts_survive_and_names_are_taken_once(house: House) -> None:
    await house.stores.accounts.add_user(user())
    with pytest.raises(PermanentError, match="taken"):
        await house.stores.accounts.add_user(user())
    accounts = (await house.again()).accounts
    assert await accounts.users() == [user()]
    assert await accounts.user("li") is None
    with pytest.raises(PermanentError, match="no such account"):
        await accounts.change_user("li", role="admin")


@pytest.mark.parametrize(
    ("change", "left"), [({"role": "admin"}, 2), ({"password": "new"}, 0), ({"disabled": True}, 0)]
)
async def test_a_new_password_or_a_disabling_ends_sign_ins(house: House, change: dict[str, object], left: int) -> None:
    accounts = house.stores.accounts
    await accounts.add_user(user())
    await accounts.open_session(session("k1"))
    await accounts.open_session(session("k2"))
    await accounts.change_user("wang", **change)  # type: ignore[arg-type]  # one of its keywords
    assert len(await accounts.sessions_of("wang")) == left
    assert await accounts.user("wang") == replace(user(), **change)  # type: ignore[arg-type]  # the same field


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "guard"}])
async def test_the_last_administrator_stays_one(house: House, change: dict[str, object]) -> None:
    """Nobody could let anybody in again, and no set-up link would appear."""
    accounts = house.stores.accounts
    await accounts.add_user(replace(user("wang"), role="admin"))
    await accounts.add_user(replace(user("gone"), role="admin", disabled=True))
    with pytest.raises(PermanentError, match="last administrator"):
        await accounts.change_user("wang", **change)  # type: ignore[arg-type]  # one of its keywords
    await accounts.change_user("gone", disabled=False)
    await accounts.change_user("wang", **change)  # type: ignore[arg-type]  # one of its keywords
    assert await accounts.user("wang") == replace(user("wang"), **({"role": "admin"} | change))  # type: ignore[arg-type]  # its fields


async def test_a_sign_in_comes_with_its_account_until_it_is_ended(house: House) -> None:
    await house.stores.accounts.add_user(user())
    await house.stores.accounts.open_session(session())
    accounts = (await house.again()).accounts
    later = NOW + timedelta(minutes=5)
    await accounts.touch_session("k1", later)
    assert await accounts.session("k1") == (replace(session(), seen=later), user())
    await accounts.end_session("k1")
    assert await accounts.session("k1") is None


async def test_sweeping_takes_what_has_ended_and_nothing_else(house: House) -> None:
    accounts = house.stores.accounts
    await accounts.add_user(user())
    await accounts.open_session(session())
    await accounts.add_one_time("link", "setup", "", NOW + timedelta(minutes=15))
    await accounts.note_failure("wang", "10.0.0.0/24", NOW)
    await accounts.sweep(NOW + timedelta(hours=23))
    assert await accounts.session("k1") is not None
    assert await accounts.failures("wang", "10.0.0.0/24") == Failures(count=1, last=NOW)
    await accounts.sweep(NOW + timedelta(hours=24))
    assert await accounts.session("k1") is None
    assert await accounts.failures("wang", "10.0.0.0/24") is None


async def test_a_one_time_link_works_once_in_its_time_for_its_purpose(house: House) -> None:
    accounts = house.stores.accounts
    ends = NOW + timedelta(minutes=15)
    await accounts.add_one_time("link", "signin", "wang", ends)
    assert await accounts.use_one_time("link", "setup", NOW) is None
    assert await accounts.use_one_time("link", "signin", ends) is None
    assert await accounts.use_one_time("link", "signin", NOW) == "wang"
    assert await accounts.use_one_time("link", "signin", NOW) is None


async def test_failures_are_counted_for_each_account_and_network_and_survive(house: House) -> None:
    for seconds in range(3):
        await house.stores.accounts.note_failure("wang", "10.0.0.0/24", NOW + timedelta(seconds=seconds))
    accounts = (await house.again()).accounts
    assert await accounts.failures("wang", "10.0.0.0/24") == Failures(count=3, last=NOW + timedelta(seconds=2))
    assert await accounts.failures("wang", "10.0.1.0/24") is None
    await accounts.clear_failures("wang", "10.0.0.0/24")
    assert await accounts.failures("wang", "10.0.0.0/24") is None


async def test_tokens_are_found_by_hash_and_can_be_revoked(house: House) -> None:
    token = ApiToken(id="t1", key="hash", name="office", role="viewer", created=NOW, ends=NOW + timedelta(days=1))
    await house.stores.accounts.add_token(token)
    accounts = (await house.again()).accounts
    await accounts.touch_token("t1", NOW)
    assert await accounts.token("hash") == replace(token, used=NOW)
    await accounts.revoke_token("t1")
    assert await accounts.tokens() == [replace(token, used=NOW, revoked=True)]
    with pytest.raises(PermanentError, match="no such token"):
        await accounts.revoke_token("t2")


# --- entries, audit, histograms, times


async def test_entries_come_back_with_their_secrets_which_lie_sealed(house: House) -> None:
    entry = Entry(kind="camera", id="cam-01", body='{"url":"rtsp://c"}', secrets={"password": "öffne-dich-42"})
    await house.stores.entries.put(entry)
    stores = await house.again()
    assert await stores.entries.get("camera", "cam-01") == entry
    assert await stores.entries.entries("camera") == [entry]
    assert await stores.entries.entries("device") == []
    assert "öffne-dich-42".encode() not in _all_bytes(house.settings.directory)


def _all_bytes(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


async def test_an_entry_is_replaced_and_deleted(house: House) -> None:
    entries = house.stores.entries
    await entries.put(Entry(kind="device", id="btn-01", body="{}"))
    await entries.put(Entry(kind="device", id="btn-01", body='{"name":"x"}'))
    assert [each.body for each in await entries.entries("device")] == ['{"name":"x"}']
    await entries.delete("device", "btn-01")
    with pytest.raises(PermanentError, match="no such entry"):
        await entries.delete("device", "btn-01")


async def test_the_audit_trail_is_listed_and_its_chain_tells_changes(house: House) -> None:
    audit = house.stores.audit
    for number in range(5):
        await audit.append(at=NOW, actor="wang", action="incident.acknowledge", subject=f"incident-{number}")
    assert [each.subject for each in await audit.entries(after=2, limit=2)] == ["incident-2", "incident-3"]
    assert await audit.verify() is None
    await house.stores._state.write(lambda c: c.execute("UPDATE audit SET actor = 'li' WHERE number = 4"))
    assert await audit.verify() == 4


async def test_histograms_add_up(house: House) -> None:
    day, histograms = date(2026, 11, 23), house.stores.histograms
    await histograms.add(day, "net", 43_200, "cam-01", [_row(0, 2, 0, 1)])
    await histograms.add(day + timedelta(days=1), "net", 43_200, "cam-01", [_row(0, 1)])
    await histograms.add(day, "other", 0, "cam-01", [_row(9)])
    histograms = (await house.again()).histograms
    seen = await histograms.seen(day, "net")
    (row,) = seen.distances
    assert (row.camera, row.size, row.rule, row.people) == ("cam-01", "full", "track", 100)
    assert (row.counts[:5], len(row.counts)) == ((0, 3, 0, 1, 0), 151)
    assert seen.days == {"cam-01": 1.0}
    await histograms.trim(day + timedelta(days=1))
    assert (await histograms.seen(day, "net")).distances[0].counts[:4] == (0, 1, 0, 0)


def _row(*counts: int) -> DistanceRow:
    return DistanceRow(camera="cam-01", size="full", rule="track", people=100, counts=counts)


@pytest.mark.parametrize("counts", [(-1,), (1,) * 152, (10**12,), (float("nan"),)])
async def test_counts_that_are_none_are_refused(house: House, counts: tuple[int, ...]) -> None:
    with pytest.raises(PermanentError, match="counts"):
        await house.stores.histograms.add(date(2026, 11, 23), "net", 1, "cam-01", [_row(*counts)])


async def test_warnings_keep_their_verdict_with_the_journals_position_and_drift_is_remembered(house: House) -> None:
    day, histograms = date(2026, 11, 23), house.stores.histograms
    warning = FaceWarning(day=day, camera="cam-01", size="full", people=100, scores={"track": 0.41})
    await histograms.warned(7, "e1", "net", warning)
    await histograms.warned(7, "e1", "net", warning)
    await histograms.judged(9, "e1", "confirmed")
    await histograms.judged(8, "e2", "rejected")
    await histograms.set_drift("above")
    histograms = (await house.again()).histograms
    assert (await histograms.seen(day, "net")).warnings == (replace(warning, verdict="confirmed"),)
    assert (await histograms.position(), await histograms.drift()) == (9, "above")
    await histograms.move(5)
    assert await histograms.position() == 9


async def test_times_of_other_zones_are_compared_as_moments(house: House) -> None:
    accounts = house.stores.accounts
    beijing = timezone(timedelta(hours=8))
    ends = datetime(2026, 11, 23, 16, 15, tzinfo=beijing)  # 08:15 UTC, though its text is greater than that
    await accounts.add_one_time("link", "setup", "", ends)
    assert await accounts.use_one_time("link", "setup", NOW + timedelta(minutes=16)) is None
    assert await accounts.use_one_time("link", "setup", NOW + timedelta(minutes=14)) == ""


async def test_one_failing_work_of_a_group_harms_no_other(house: House) -> None:
    accounts = house.stores.accounts
    await accounts.add_user(user())
    results = await asyncio.gather(
        *(accounts.add_user(user(name)) for name in ("li", "wang", "zhao")), return_exceptions=True
    )
    assert [type(each) for each in results] == [type(None), PermanentError, type(None)]
    assert [each.name for each in await accounts.users()] == ["li", "wang", "zhao"]
