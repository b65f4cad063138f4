"""The master key and what is derived from it: keys by purpose, wrapped keys of people and of pieces of evidence."""

import base64
import binascii
import json
import logging
import os
import stat
import tempfile
from pathlib import Path

from gateway.errors import PermanentError
from gateway.sealing import KEY_BYTES, associated, derive_key, new_key, seal, unseal, unwrap_key, wrap_key
from gateway.settings import StorageSettings
from gateway.storage.folder import sync_folder

_log = logging.getLogger(__name__)
_CREDENTIAL = "campus-gateway-key"


class Vault:
    """Seals and opens what the alarm house may open; the key of people's templates only passes through."""

    def __init__(self, master: bytes) -> None:
        self._evidence = derive_key(master, "evidence")
        self._credentials = derive_key(master, "credentials")
        self._people = derive_key(master, "people")

    def take_people_key(self) -> bytes:
        """The key that wraps the keys of people, for the gallery child; handed out once and then forgotten.

        Raises:
            PermanentError: it was taken before.
        """
        key, self._people = self._people, b""
        if not key:
            raise PermanentError("the key of people was handed out before")
        return key

    def wrap_evidence_key(self, key: bytes, owner: str) -> bytes:
        """A person's evidence key as it may lie in the store."""
        return wrap_key(self._evidence, key, owner)

    def unwrap_evidence_key(self, wrapped_key: bytes, owner: str) -> bytes:
        """The key that `wrap_evidence_key` wrapped.

        Raises:
            SealError: it is of another owner.
        """
        return unwrap_key(self._evidence, wrapped_key, owner)

    def seal_evidence(self, picture: bytes, wrapped_key: bytes, owner: str, identity: str) -> bytes:
        """A picture sealed under the wrapped key of its owner, bound to its id."""
        return seal(unwrap_key(self._evidence, wrapped_key, owner), picture, associated("evidence", identity))

    def open_evidence(self, sealed: bytes, key: bytes, identity: str) -> bytes:
        """The picture that `seal_evidence` sealed.

        Raises:
            SealError: it is of another key or id.
        """
        return unseal(key, sealed, associated("evidence", identity))

    def seal_secrets(self, secrets: dict[str, str], kind: str, identity: str) -> bytes:
        """Credentials of an entry, bound to it."""
        return seal(self._credentials, json.dumps(secrets).encode(), associated("entry", kind, identity))

    def open_secrets(self, sealed: bytes, kind: str, identity: str) -> dict[str, str]:
        """The credentials that `seal_secrets` sealed.

        Raises:
            SealError: they are of another key or entry.
        """
        opened: dict[str, str] = json.loads(unseal(self._credentials, sealed, associated("entry", kind, identity)))
        return opened


def load_master_key(settings: StorageSettings) -> bytes:
    """The master key: `key_file`, else the systemd credential, else ``<directory>.key``, made at first start.

    Raises:
        PermanentError: it lies in the state folder, others may read it, or it is no key.
    """
    directory, path = settings.directory.resolve(), key_place(settings)
    if settings.key_file is None and path != _credential() and not path.exists():
        _make(path, directory)
    return read_master_key(settings)


def read_master_key(settings: StorageSettings) -> bytes:
    """The master key where it is; none is made.

    Raises:
        PermanentError: it is not there, lies in the state folder, others may read it, or it is no key.
    """
    directory, path = settings.directory.resolve(), key_place(settings)
    if settings.key_file is not None:
        return _read(_outside(path, directory), check_mode=True)
    return _read(path, check_mode=path != _credential())


def key_place(settings: StorageSettings) -> Path:
    """Where the master key is read from: `key_file`, else the systemd credential, else ``<directory>.key``."""
    directory = settings.directory.resolve()
    return settings.key_file or _credential() or directory.with_name(directory.name + ".key")


def _credential() -> Path | None:
    """The key as systemd hands it over, if it does."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(credentials) / _CREDENTIAL if credentials else None
    return path if path is not None and path.is_file() else None


def _outside(path: Path, directory: Path) -> Path:
    if path.resolve().is_relative_to(directory):
        remedy = "Move it out of storage.directory, so that a copy of the one does not hold the other."
        raise PermanentError("the key lies in the state folder", where=str(path), remedy=remedy)
    return path


def holds_state(directory: Path) -> bool:
    """Whether a gateway has run on a folder: its journal is there, or what was put aside of one."""
    return any(directory.glob("journal.db*"))


def _make(path: Path, directory: Path) -> None:
    if holds_state(directory):
        remedy = "Restore the key that belongs to this state folder, or name it: storage.key_file."
        raise PermanentError("the master key is missing", where=str(path), remedy=remedy)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as part:
            os.fchmod(part.fileno(), 0o400)
            part.write(base64.b64encode(new_key()) + b"\n")
            part.flush()
            os.fsync(part.fileno())
            os.link(part.name, path)  # whole or not at all, and never over a key that is there
        sync_folder(path.parent)
        _log.warning("a new master key was made: %s. Keep a copy of it elsewhere: no backup holds it", path)
    except OSError as error:
        remedy = "Name a place for it: storage.key_file."
        raise PermanentError(f"the key cannot be made: {error.strerror}", where=str(path), remedy=remedy) from None


def _read(path: Path, *, check_mode: bool) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_bytes()
    except OSError as error:
        raise PermanentError(f"the key cannot be read: {error.strerror}", where=str(path)) from None
    if check_mode and mode & 0o077:
        raise PermanentError(f"others may read the key (mode {mode:o})", where=str(path), remedy=f"chmod 0400 {path}")
    try:
        key = base64.b64decode(text, validate=False)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        remedy = "It holds 32 bytes in base64: openssl rand -base64 32."
        raise PermanentError("is no key", where=str(path), remedy=remedy)
    return key
