"""The journal, its outbox and every other durable thing; the one room that opens the databases."""

from gateway.storage.account_store import AccountStore
from gateway.storage.audit_trail import AuditTrail
from gateway.storage.clip_store import ClipStore
from gateway.storage.copies import ChainReport, back_up, require_state, restore, verify_chains
from gateway.storage.entry_store import EntryStore
from gateway.storage.evidence_store import EvidenceStore
from gateway.storage.faults import (
    NewerFileError,
    StorageBusyError,
    StorageFailedError,
    StorageFullError,
    StorageLockedError,
)
from gateway.storage.folder import Ballast, FolderLock
from gateway.storage.histograms import Histograms
from gateway.storage.incident_store import IncidentStore
from gateway.storage.journal import Journal, type_of
from gateway.storage.key_check import WrongKeyError
from gateway.storage.outbox import Outbox
from gateway.storage.passwords import PasswordHasher
from gateway.storage.state import State
from gateway.storage.stores import AccountDesk, Stores, WatchListDesk, open_accounts, open_storage, open_watchlist
from gateway.storage.subscription import Subscription
from gateway.storage.values import (
    USER_NAME,
    ApiToken,
    AuditEntry,
    ClipPart,
    ClipState,
    DeadLetter,
    Delivery,
    Entry,
    EventFilter,
    Evidence,
    Failures,
    Incident,
    NewTemplate,
    OutboxState,
    Person,
    PhotoInfo,
    SealedPhoto,
    Session,
    Stored,
    TemplateRow,
    Trigger,
    User,
)
from gateway.storage.vault import Vault, key_place, load_master_key
from gateway.storage.watchlist_store import WatchListStore
from gateway.storage.writer import WriterStatistics

__all__ = [
    "USER_NAME",
    "AccountDesk",
    "AccountStore",
    "ApiToken",
    "AuditEntry",
    "AuditTrail",
    "Ballast",
    "ChainReport",
    "ClipPart",
    "ClipState",
    "ClipStore",
    "DeadLetter",
    "Delivery",
    "Entry",
    "EntryStore",
    "EventFilter",
    "Evidence",
    "EvidenceStore",
    "Failures",
    "FolderLock",
    "Histograms",
    "Incident",
    "IncidentStore",
    "Journal",
    "NewTemplate",
    "NewerFileError",
    "Outbox",
    "OutboxState",
    "PasswordHasher",
    "Person",
    "PhotoInfo",
    "SealedPhoto",
    "Session",
    "State",
    "StorageBusyError",
    "StorageFailedError",
    "StorageFullError",
    "StorageLockedError",
    "Stored",
    "Stores",
    "Subscription",
    "TemplateRow",
    "Trigger",
    "User",
    "Vault",
    "WatchListDesk",
    "WatchListStore",
    "WriterStatistics",
    "WrongKeyError",
    "back_up",
    "key_place",
    "load_master_key",
    "open_accounts",
    "open_storage",
    "open_watchlist",
    "require_state",
    "restore",
    "type_of",
    "verify_chains",
]
