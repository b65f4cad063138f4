"""Opens the two databases of a gateway whatever their content is: a damaged one is put aside, and told."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.events import Cause, because, new_id
from gateway.settings import StorageSettings
from gateway.storage.aside import (
    Aside,
    files_aside,
    lately_lost,
    note_damage,
    put_aside_if_damaged,
    put_aside_if_no_file,
    put_aside_if_no_folder,
)
from gateway.storage.audit_trail import AuditTrail
from gateway.storage.beginnings import ACTION, Beginning, beginnings, row_of, unsettled
from gateway.storage.faults import StorageDamagedError, StorageFullError
from gateway.storage.folder import Ballast
from gateway.storage.incident_store import IncidentStore
from gateway.storage.journal import Journal, known_position
from gateway.storage.outbox import highest_position
from gateway.storage.salvage import Taken, salvage
from gateway.storage.state import State
from gateway.storage.unreadable_rows import drop_unreadable

_GAP = 100_000
_LOOK_BACK = 10_000
_MOST_REPLAYED = 100_000
_RESEND = timedelta(hours=24)
_MOST_RESENT = 50_000
_ROUNDS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartFault:
    """What the start found wrong with the files, to be journaled as critical; the same `id` is never stored twice.

    Attributes:
        id: of the event.
        cause: what happened, what is gone, and the remedy.
        told: it was journaled before the journal began anew, and is no news.
    """

    id: str
    cause: Cause
    told: bool = False

    @property
    def fault(self) -> str:
        """Its kind."""
        return self.cause.fault

    @property
    def detail(self) -> str:
        """The cause in words."""
        return self.cause.words


@dataclass(frozen=True, slots=True)
class Opened:
    """Both databases.

    Attributes:
        faults: what was found wrong with them.
        resend_from: where a destination begins whose place was lost with ``state.db``; None if none was lost.
        retold_before: what happened before it is projected anew and was told long ago; None if nothing is.
    """

    state: State
    journal: Journal
    faults: tuple[StartFault, ...]
    resend_from: int | None
    retold_before: datetime | None


async def open_files(settings: StorageSettings, clock: Clock, ballast: Ballast) -> Opened:
    """Open or make both files; the caller holds the folder's lock.

    Raises:
        NewerFileError: a file was written by a newer version.
        StorageFailedError: the disk, or the rights, do not let them be opened.
    """
    for _ in range(_ROUNDS - 1):
        try:
            return await _open(settings, clock, ballast)
        except StorageDamagedError as error:  # deeper than the first look goes: the next one puts it aside
            _log.error("%s", error)
            note_damage(error)
    return await _open(settings, clock, ballast)


async def _open(settings: StorageSettings, clock: Clock, ballast: Ballast) -> Opened:
    async with AsyncExitStack() as stack:
        opened = await _try_open(settings, clock, ballast, stack)
        stack.pop_all()
    return opened


async def _try_open(settings: StorageSettings, clock: Clock, ballast: Ballast, stack: AsyncExitStack) -> Opened:
    """Open both; `stack` closes what is open should the rest of it fail."""
    directory, now = settings.directory, clock.now()
    state_path, journal_path = directory / "state.db", directory / "journal.db"
    put_aside_if_no_folder(directory / "evidence", now)
    put_aside_if_no_file(directory / "state.lock", now)
    put_aside_if_damaged(state_path, "state", ("audit", "delivery"), now)
    aside = put_aside_if_damaged(journal_path, "journal", ("event",), now)
    state_is_new, journal_is_new = not _has_content(state_path), not _has_content(journal_path)
    state = await State.open(directory)
    stack.push_async_callback(state.close)
    floor = seen = known_position(await state.read(highest_position), state_path)
    taken = Taken()
    if aside is not None and aside.place.name.startswith("journal.db.damaged"):
        ballast.give()  # a fresh file needs room
        taken = salvage(aside.place, journal_path, seen) if aside.place.is_file() else taken
    if aside is not None or (journal_is_new and seen):
        floor = max(seen, taken.last) + _GAP
    asides = files_aside(directory)
    begun = await state.read(beginnings) if asides else []
    floor = max([floor, *(each.position - 1 for each in begun)])
    journal = await Journal.open(directory, clock=clock, settings=settings, ballast=ballast, floor=floor)
    stack.push_async_callback(journal.close)
    if aside is not None:
        begun.append(await _record(state, aside, journal.last_position, taken, floor, max(seen, taken.last), begun))
    faults = [_told(each, begun) for each in asides]
    if aside is None and journal.last_position < seen and all(each.position <= seen for each in begun):
        faults.append(_cut(journal.last_position, seen))
    lost = state_is_new and journal.last_position > 0
    if lost:
        await IncidentStore(state).apply(max(0, journal.last_position - _LOOK_BACK), ())
        if not lately_lost(asides, "state.db", now, _RESEND):
            faults.append(_missing(state_path))
    rows = {} if lost else await _dropped(state, journal.last_position)
    faults += [_unreadable(state_path, rows)] if rows else []
    resends = lost or lately_lost(asides, "state.db", now, _RESEND)
    resend_from = await journal.position_before(now - _RESEND, _MOST_RESENT) if resends else None
    return Opened(state, journal, tuple(faults), resend_from, now if lost or "incident" in rows else None)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


async def _record(
    state: State, aside: Aside, last: int, taken: Taken, floor: int, seen: int, former: list[Beginning]
) -> Beginning:
    """Keep in the audit trail where the journal begins anew, so that `verify` knows this gap from tampering."""
    begun = Beginning(aside.place.name, aside.at, taken.first or min(last, 1), last, taken.before, max(last, floor) + 1)
    gone = [(low, min(high, seen)) for low, high in begun.gaps]
    never = [gap for each in former for gap in each.gaps]
    begun = replace(begun, lost=await state.read(lambda connection: unsettled(connection, gone, never)))
    trail, actor = AuditTrail(state), "campus-gateway"
    try:
        await trail.append(at=begun.at, actor=actor, action=ACTION, subject=begun.file, detail=row_of(begun))
    except StorageFullError as error:
        _log.error("that the journal begins anew is not in the audit trail: %s", error)
    return begun


def _told(aside: Aside, begun: list[Beginning]) -> StartFault:
    """What is gone with it; it was told already if another one was put aside since then."""
    cause = aside.cause
    for each in begun:
        if each.file == aside.place.name:
            cause = cause.at(each.told, **each.figures)
    told = any(each.at > aside.at for each in begun)
    return StartFault(f"aside-{aside.place.name}", cause, told)


def _cut(last: int, seen: int) -> StartFault:
    what = f"the journal ends at position {last}, but {seen} was there: it was cut"
    _log.critical("%s", what)
    what = f"{what}. Find out who or what changed the state folder; see the disk."
    return StartFault(new_id(), because("journal_cut", what, last=last, seen=seen))


async def _dropped(state: State, last: int) -> dict[str, int]:
    """Rows that bit rot made unreadable, by table; incidents among them are made anew from the journal."""
    rows = await drop_unreadable(state)
    try:
        bad = await IncidentStore(state).make_anew(last, _LOOK_BACK, _MOST_REPLAYED)
    except TransientError as error:
        _log.error("incidents that cannot be read are not made anew: %s", error)
        return rows
    return rows | ({"incident": bad} if bad else {})


def _unreadable(path: Path, rows: dict[str, int]) -> StartFault:
    listed = ", ".join(f"{table} ({count})" for table, count in rows.items())
    what = f"{path} holds rows that cannot be read, by table: {listed}"
    _log.critical("%s", what)
    detail = (
        f"{what}. They are dropped; incidents are made anew from the journal. Enter again what is missing (accounts, "
        "tokens, posts, buttons, cameras, destinations), or restore a backup; see the disk."
    )
    return StartFault(new_id(), because("rows_unreadable", detail, path=str(path), tables=listed))


def _missing(path: Path) -> StartFault:
    what = f"{path} was not there, although the journal was; it is made anew"
    _log.critical("%s", what)
    remedy = "Accounts, the watch-list, and what was entered by API are gone: enter them again, or restore a backup."
    return StartFault(new_id(), because("state_missing", f"{what}. {remedy}", path=str(path)))
