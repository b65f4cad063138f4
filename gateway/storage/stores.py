"""Everything durable of one gateway, opened together and closed in reverse."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.sealing import new_key
from gateway.settings import StorageSettings
from gateway.storage.account_store import AccountStore
from gateway.storage.audit_trail import AuditTrail
from gateway.storage.clip_store import ClipStore
from gateway.storage.copies import require_restored
from gateway.storage.device_store import DeviceStore
from gateway.storage.entry_store import EntryStore
from gateway.storage.evidence_store import EvidenceStore
from gateway.storage.faults import StorageBusyError, StorageDamagedError
from gateway.storage.folder import Ballast, FolderLock
from gateway.storage.histograms import Histograms
from gateway.storage.incident_store import IncidentStore
from gateway.storage.journal import Journal
from gateway.storage.key_check import UnusableKeyError, WrongKeyError, key_fits, seal_check
from gateway.storage.mqtt_session_store import MqttSessionStore
from gateway.storage.outbox import Outbox
from gateway.storage.post_store import PostStore
from gateway.storage.recovery import StartFault, open_files
from gateway.storage.state import State
from gateway.storage.vault import Vault, holds_state, key_place, load_master_key
from gateway.storage.watchlist_store import WatchListStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The open stores; made by `open_storage`.

    Attributes:
        wrong_key: if the master key is not the one of this state, or is missing: what and the remedy.
        faults: what the start found wrong with the files; damaged ones are put aside and made anew.
        resend_from: where a destination begins whose place was lost; None if none was.
        retold_before: incident events before it were told long ago, and come once more; None if none do.
    """

    journal: Journal
    outbox: Outbox
    incidents: IncidentStore
    watchlist: WatchListStore
    evidence: EvidenceStore
    clips: ClipStore
    accounts: AccountStore
    entries: EntryStore
    devices: DeviceStore
    posts: PostStore
    audit: AuditTrail
    histograms: Histograms
    mqtt: MqttSessionStore
    vault: Vault
    ballast: Ballast
    wrong_key: WrongKeyError | None
    faults: tuple[StartFault, ...]
    resend_from: int | None
    retold_before: datetime | None
    _state: State = field(repr=False)
    _lock: FolderLock = field(repr=False)

    @property
    def state_damaged(self) -> "asyncio.Future[StorageDamagedError]":
        """Done once ``state.db`` turned out to be damaged."""
        return self._state.damaged

    async def close(self) -> None:
        """Close all, the journal last, and let the folder go; a second time does nothing."""
        async with AsyncExitStack() as stack:
            stack.callback(self._lock.release)
            stack.push_async_callback(self.journal.close)
            stack.push_async_callback(self._state.close)
            stack.push_async_callback(self.clips.close)


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """What a command of an administrator needs; made by `open_accounts`."""

    accounts: AccountStore
    audit: AuditTrail
    _state: State = field(repr=False)
    _lock: FolderLock | None = field(repr=False)

    async def close(self) -> None:
        """Close the file."""
        try:
            await self._state.close()
        finally:
            if self._lock is not None:
                self._lock.release()


async def open_accounts(settings: StorageSettings) -> AccountDesk:
    """Open accounts and audit trail, also while a gateway runs on the folder: what it reads next is what was written.

    Raises:
        NewerFileError: the file is of another version.
        StorageFailedError: the file is damaged, or the running gateway has not made it yet.
        PermanentError: the folder cannot be used, or a restore into it was cut off.
    """
    lock: FolderLock | None
    try:
        lock = FolderLock(settings.directory)
    except StorageBusyError:
        lock = None
    try:
        require_restored(settings.directory)
        state = await State.open(settings.directory, guest=lock is None)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return AccountDesk(AccountStore(state), AuditTrail(state), state, lock)


@dataclass(frozen=True, slots=True)
class WatchListDesk:
    """What a command on the watch-list needs; made by `open_watchlist`.

    Attributes:
        running: whether a gateway ran on the folder when it was opened.
    """

    watchlist: WatchListStore
    histograms: Histograms
    audit: AuditTrail
    vault: Vault
    running: bool
    _state: State = field(repr=False)

    async def close(self) -> None:
        """Close the file."""
        await self._state.close()


async def open_watchlist(settings: StorageSettings) -> WatchListDesk:
    """Open watch-list and audit trail as a guest, so that a gateway may run, stop or start meanwhile.

    Raises:
        NewerFileError: the file is of another version.
        StorageFailedError: the file is damaged, or the running gateway has not made it yet.
        PermanentError: the folder or the master key cannot be used.
        WrongKeyError: the master key is not the one of this state.
    """
    running = False
    try:
        lock = FolderLock(settings.directory)
    except StorageBusyError:
        running = True
    else:
        try:
            await (await State.open(settings.directory)).close()  # makes or migrates the file
        finally:
            lock.release()
    vault = Vault(load_master_key(settings))
    state = await State.open(settings.directory, guest=True)
    if not await key_fits(state, vault):
        await state.close()
        raise WrongKeyError(str(key_place(settings)))
    return WatchListDesk(WatchListStore(state, vault), Histograms(state), AuditTrail(state), vault, running, state)


async def open_storage(settings: StorageSettings, clock: Clock) -> Stores:
    """Open or make everything below ``settings.directory``; for the gateway itself, which damage does not keep down.

    Raises:
        StorageBusyError: another process has it open.
        NewerFileError: a file was written by a newer version.
        StorageFailedError: the disk, or the rights, do not let a file be opened.
        PermanentError: the folder cannot be used, or a new one's master key.
    """
    directory = settings.directory
    lock = FolderLock(directory)
    async with AsyncExitStack() as stack:
        stack.callback(lock.release)
        require_restored(directory)
        vault, lost_key = _vault(settings)
        ballast = Ballast(directory, settings.reserve_megabytes)
        opened = await open_files(settings, clock, ballast)
        state, journal = opened.state, opened.journal
        stack.push_async_callback(journal.close)
        stack.push_async_callback(state.close)
        ballast.take()
        wrong_key = lost_key or await _check_key(state, vault, settings)
        evidence = EvidenceStore(state, vault, directory / "evidence")
        clips = ClipStore(state, evidence, ballast.spared)
        await clips.settle_unfinished()
        await evidence.sweep()
        stack.pop_all()
    return Stores(
        journal=journal,
        outbox=Outbox(state),
        incidents=IncidentStore(state),
        watchlist=WatchListStore(state, vault, wrong_key),
        evidence=evidence,
        clips=clips,
        accounts=AccountStore(state),
        entries=EntryStore(state, vault, lost_key),
        devices=DeviceStore(state),
        posts=PostStore(state),
        audit=AuditTrail(state),
        histograms=Histograms(state),
        mqtt=MqttSessionStore(journal),
        vault=vault,
        ballast=ballast,
        wrong_key=wrong_key,
        faults=opened.faults,
        resend_from=opened.resend_from,
        retold_before=opened.retold_before,
        _state=state,
        _lock=lock,
    )


def _vault(settings: StorageSettings) -> tuple[Vault, UnusableKeyError | None]:
    """The master key; where there is state and no usable key, one for this run alone, because presses need none."""
    try:
        return Vault(load_master_key(settings)), None
    except PermanentError as error:
        if not holds_state(settings.directory):
            raise
        return Vault(new_key()), UnusableKeyError(error)


async def _check_key(state: State, vault: Vault, settings: StorageSettings) -> WrongKeyError | None:
    """A key that does not fit is told, and does not stop the start: presses need none."""
    if await key_fits(state, vault):
        await seal_check(state, vault)
        return None
    return WrongKeyError(str(key_place(settings)))
