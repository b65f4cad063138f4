"""The journal, its outbox and every other durable thing; the one room that opens the databases."""

from gateway.storage.account_store import AccountStore
from gateway.storage.aside import note_damage
from gateway.storage.audit_trail import AuditTrail
from gateway.storage.clip_store import ClipStore
from gateway.storage.copies import ChainReport, back_up, require_state, restore, verify_chains
from gateway.storage.device_store import DeviceStore
from gateway.storage.entry_store import EntryStore
from gateway.storage.evidence_store import EvidenceStore
from gateway.storage.faults import (
    NewerFileError,
    StorageBusyError,
    StorageDamagedError,
    StorageFailedError,
    StorageFullError,
    StorageLockedError,
)
from gateway.storage.folder import Ballast, FolderLock
from gateway.storage.histograms import DistanceRow, FaceWarning, Histograms, SeenPassages
from gateway.storage.incident_store import IncidentStore
from gateway.storage.incident_values import Check, Deadline, Hidden, Incident, Late, Post, Shelf, Trigger
from gateway.storage.inspection import Inspected, entries_of, inspect_state
from gateway.storage.journal import Journal
from gateway.storage.key_check import WrongKeyError
from gateway.storage.mqtt_session_store import MqttSessionStore
from gateway.storage.outbox import Outbox
from gateway.storage.passing import type_of
from gateway.storage.passwords import PasswordHasher, check_new_password
from gateway.storage.post_store import PostStore
from gateway.storage.recovery import StartFault
from gateway.storage.state import State
from gateway.storage.stores import AccountDesk, Stores, WatchListDesk, open_accounts, open_storage, open_watchlist
from gateway.storage.subscription import Subscription
from gateway.storage.tokens import hash_of, make_token, new_token
from gateway.storage.unreadable import UnreadableEvent
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
    NewTemplate,
    OutboxState,
    Person,
    PhotoInfo,
    SealedPhoto,
    Session,
    Stored,
    TemplateRow,
    User,
)
from gateway.storage.vault import Vault, key_place, load_master_key, read_master_key
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
    "Check",
    "ClipPart",
    "ClipState",
    "ClipStore",
    "DeadLetter",
    "Deadline",
    "Delivery",
    "DeviceStore",
    "DistanceRow",
    "Entry",
    "EntryStore",
    "EventFilter",
    "Evidence",
    "EvidenceStore",
    "FaceWarning",
    "Failures",
    "FolderLock",
    "Hidden",
    "Histograms",
    "Incident",
    "IncidentStore",
    "Inspected",
    "Journal",
    "Late",
    "MqttSessionStore",
    "NewTemplate",
    "NewerFileError",
    "Outbox",
    "OutboxState",
    "PasswordHasher",
    "Person",
    "PhotoInfo",
    "Post",
    "PostStore",
    "SealedPhoto",
    "SeenPassages",
    "Session",
    "Shelf",
    "StartFault",
    "State",
    "StorageBusyError",
    "StorageDamagedError",
    "StorageFailedError",
    "StorageFullError",
    "StorageLockedError",
    "Stored",
    "Stores",
    "Subscription",
    "TemplateRow",
    "Trigger",
    "UnreadableEvent",
    "User",
    "Vault",
    "WatchListDesk",
    "WatchListStore",
    "WriterStatistics",
    "WrongKeyError",
    "back_up",
    "check_new_password",
    "entries_of",
    "hash_of",
    "inspect_state",
    "key_place",
    "load_master_key",
    "make_token",
    "new_token",
    "note_damage",
    "open_accounts",
    "open_storage",
    "open_watchlist",
    "read_master_key",
    "require_state",
    "restore",
    "type_of",
    "verify_chains",
]
