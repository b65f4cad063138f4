"""What is installed at the site: devices, cameras and destinations of the file and of the store, live."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from gateway.errors import GatewayError, PermanentError, redact
from gateway.events import Cause, because
from gateway.settings import (
    CameraSettings,
    DestinationSettings,
    DeviceSettings,
    EntrySlice,
    Slice,
    entry_fault,
    public_part,
)
from gateway.storage import Entry, EntryStore

_DEVICE = "device"
_SECRETS = ("password", "secret")
_ADDRESSES = ("url", "sub_url")
Settings = TypeVar("Settings", bound=EntrySlice)
_MOST_TOLD = 20
_log = logging.getLogger(__name__)


class FileEntryError(PermanentError):
    """The entry is in the configuration file and can be changed only there."""

    code = "in_file"


class EntryExistsError(PermanentError):
    """The id is taken."""

    code = "id_taken"


class EntryRefusedError(PermanentError):
    """Fields of an entry are wrong.

    Attributes:
        faults: of each of the first 20 fields where it is, what is wrong, the remedy, and its name for programs.
    """

    code = "field_refused"

    def __init__(self, error: ValidationError, model: type[Slice]) -> None:
        found = error.errors(include_url=False, include_input=False)[:_MOST_TOLD]
        told = [entry_fault(each, model) for each in found]
        self.faults = [
            {"where": fault.key, "what": fault.what, "remedy": fault.remedy, "code": each["type"]}
            for fault, each in zip(told, found, strict=True)
        ]
        if more := error.error_count() - len(found):
            self.faults.append({"where": "", "what": f"and {more} more", "remedy": "", "code": "more"})
        context: dict[str, Any] = found[0].get("ctx", {})
        bounds: dict[str, Any] = {name: each for name, each in context.items() if isinstance(each, int | float)}
        first = told[0]
        super().__init__(first.what, where=first.key, remedy=first.remedy, fault=found[0]["type"], **bounds)


class Register(Generic[Settings]):
    """All entries of one kind.

    Args:
        kind: camera, device or destination.
        model: its settings slice.
        from_file: entries of the configuration file; read-only here.
        file: its path, for messages.
        put, drop: what makes an entry live, and what ends it.
        most: so many entries there may be; those of the file are not refused.

    Attributes:
        faults: what the start found: entries that are left out, and why.
    """

    def __init__(
        self,
        kind: str,
        model: type[Settings],
        from_file: Sequence[Settings],
        file: str,
        store: EntryStore,
        put: Callable[[Settings], Awaitable[None]],
        drop: Callable[[str], Awaitable[None]],
        most: int = 1000,
    ) -> None:
        self._kind = kind
        self._most = most
        self._model = model
        self._file = file
        self._from_file = {entry.id: entry for entry in from_file}
        self._entries: dict[str, Settings] = dict(self._from_file)
        self._store = store
        self._put = put
        self._drop = drop
        self._one_at_a_time = asyncio.Lock()
        self._left_out: set[str] = set()
        self.faults: list[Cause] = []

    async def load(self) -> None:
        """Make all entries live; one that cannot be used is left out, because presses come first.

        So is one whose id is in the file, too: the file's counts.

        Raises:
            GatewayError: an alarm device of the file cannot be used.
        """
        stored = await self._store.entries(self._kind)
        for settings in self._from_file.values():
            await self._put_of_file(settings)
        for entry in stored:
            if entry.id in self._from_file:
                self._leave_out(entry, self._in_both(entry))
            else:
                await self._revive(entry)

    async def _put_of_file(self, settings: Settings) -> None:
        try:
            await self._put(settings)
        except GatewayError as error:
            if self._kind == _DEVICE:
                raise
            words = redact(f"{self._kind} {settings.id} of the file is left out: {error.what}. {error.remedy}".rstrip())
            _log.error("%s", words)
            self.faults.append(because("entry_unusable", words, kind=self._kind, identity=settings.id))

    async def _revive(self, entry: Entry) -> None:
        try:
            settings = self._model.model_validate_json(entry.body).model_copy(update=_opened(entry.secrets))
            await self._put(settings)
        except (GatewayError, ValidationError) as error:
            self._leave_out(entry, self._unusable(entry, _why(error)))
        else:
            self._entries[entry.id] = settings
            await self._seal_what_was_open(entry, settings)

    def _in_both(self, entry: Entry) -> Cause:
        what = f"the same id is in {self._file}, which counts; DELETE it by API, or take it out of the file"
        words, kind = self._words(entry, what), self._kind
        return because("entry_in_both", words, kind=kind, id=entry.id, file=self._file)

    def _unusable(self, entry: Entry, what: str) -> Cause:
        words, kind = self._words(entry, f"{what}; make it anew, or DELETE it by API"), self._kind
        return because("entry_left_out", words, kind=kind, id=entry.id, what=what)

    def _words(self, entry: Entry, what: str) -> str:
        return redact(f"{self._kind} {entry.id} of the store is left out: {what}")

    def _leave_out(self, entry: Entry, cause: Cause) -> None:
        _log.error("%s", cause.words)
        self.faults.append(cause)
        self._left_out.add(entry.id)

    async def _seal_what_was_open(self, entry: Entry, settings: Settings) -> None:
        """Former versions kept addresses open as a whole; a store that cannot take them now keeps them so."""
        sealed = self._entry_of(settings)
        if sealed.secrets.keys() == entry.secrets.keys():
            return
        try:
            await self._store.replace(sealed)
        except GatewayError as error:
            _log.warning("the address of %s %s is not sealed: %s", self._kind, entry.id, error)

    def all(self) -> list[Settings]:
        """All entries by id."""
        return [self._entries[each] for each in sorted(self._entries)]

    def get(self, identity: str) -> Settings:
        """One entry.

        Raises:
            PermanentError: there is none of that id.
        """
        if identity not in self._entries:
            where = f"{self._kind} {identity}"
            raise PermanentError(f"there is no such {self._kind}", where=where, code="no_such_entry")
        return self._entries[identity]

    def find(self, identity: str) -> Settings | None:
        """One entry, if it is there."""
        return self._entries.get(identity)

    def in_file(self, identity: str) -> bool:
        """Whether an entry is of the file."""
        return identity in self._from_file

    async def create(self, body: dict[str, Any]) -> Settings:
        """Add an entry and make it live.

        Raises:
            EntryExistsError: the id is taken.
            PermanentError: a field is wrong, or there are as many entries as there may be.
        """
        settings = self._checked(body)
        async with self._one_at_a_time:
            if settings.id in self._entries:
                where = f"{self._kind} {settings.id}"
                raise EntryExistsError("this id is taken", where=where, remedy="Choose another.")
            if self.room < 1:
                what = f"there are {self._most} entries of the kind {self._kind}, and no more are taken"
                raise PermanentError(what, where=self._kind, remedy="Remove some first.", code="too_many_entries")
            await self._keep(settings)
        return settings

    @property
    def room(self) -> int:
        """How many more entries are taken."""
        return self._most - len(self._entries)

    async def change(self, identity: str, changes: dict[str, Any]) -> Settings:
        """Change an entry and make the change live.

        Raises:
            FileEntryError: it is of the file.
            PermanentError: there is none, or a field is wrong.
        """
        async with self._one_at_a_time:
            self._must_be_ours(identity)
            if changes.get("id", identity) != identity:
                remedy = "Remove the entry and make a new one."
                raise PermanentError("an id cannot be changed", remedy=remedy, code="id_fixed")
            former = _revealed(self._entries[identity])
            _keep_password_home(former, changes)
            settings = self._checked(former | changes)
            await self._keep(settings)
        return settings

    async def delete(self, identity: str) -> None:
        """End an entry and forget it with its credentials; of one in the file, too, that of the store.

        Raises:
            FileEntryError: it is of the file.
            PermanentError: there is none.
        """
        async with self._one_at_a_time:
            if identity in self._left_out:
                await self._store.delete(self._kind, identity)
                self._left_out.remove(identity)
                return
            self._must_be_ours(identity)
            await self._store.delete(self._kind, identity)
            del self._entries[identity]
            await self._drop(identity)

    def _must_be_ours(self, identity: str) -> None:
        self.get(identity)
        if identity in self._from_file:
            raise FileEntryError(f"is in {self._file}", where=f"{self._kind} {identity}", remedy="Change it there.")

    def _checked(self, body: dict[str, Any]) -> Settings:
        try:
            return self._model.model_validate(body)
        except ValidationError as error:
            raise EntryRefusedError(error, self._model) from None

    async def _keep(self, settings: Settings) -> None:
        """Make an entry live, then store it: one that cannot be used would be in the way of the next start."""
        await self._put(settings)
        try:
            await self._store.put(self._entry_of(settings))
        except BaseException:
            former = self._entries.get(settings.id)
            await (self._put(former) if former is not None else self._drop(settings.id))
            raise
        self._entries[settings.id] = settings
        self._left_out.discard(settings.id)

    def _entry_of(self, settings: Settings) -> Entry:
        secrets = {}
        for name in _SECRETS:
            value = getattr(settings, name, None)
            if isinstance(value, SecretStr):
                secrets[name] = value.get_secret_value()
        public = _public_addresses(settings)
        whole = {name: getattr(settings, name) for name in public}
        body = settings.model_copy(update=dict.fromkeys(secrets) | public).model_dump_json()
        return Entry(kind=self._kind, id=settings.id, body=body, secrets=secrets | whole)


def _opened(secrets: dict[str, str]) -> dict[str, SecretStr | str]:
    """What was sealed of an entry, as its settings hold it."""
    return {name: value if name in _ADDRESSES else SecretStr(value) for name, value in secrets.items()}


def _why(error: GatewayError | ValidationError) -> str:
    if isinstance(error, GatewayError):
        return error.what
    found = error.errors(include_url=False, include_input=False)
    told = [each["msg"] for each in found if each["type"] == "url_credentials"]
    first = entry_fault(found[0], Slice)
    return told[0] if told else f"its settings are not valid: {first.key} {first.what}"


def _public_addresses(settings: Slice) -> dict[str, str]:
    """By key, what anybody may read of each address that holds more."""
    held = {name: url for name in _ADDRESSES if isinstance(url := getattr(settings, name, None), str)}
    return {name: public for name, url in held.items() if (public := public_part(url)) != url}


def shown(settings: Slice, *, whole: bool) -> dict[str, Any]:
    """An entry as the interface shows it: without secrets, but saying that there is one.

    Args:
        settings: the entry.
        whole: with what its addresses hold behind the path, which may be a credential: for administrators.
    """
    body = settings.model_dump(mode="json", exclude=set(_SECRETS))
    for name in _SECRETS:
        if name in type(settings).model_fields:
            body[f"has_{name}"] = getattr(settings, name) is not None
    return body if whole else body | _public_addresses(settings)


def shown_description(description: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """What a camera told of itself; some put user and password into the addresses that they tell."""
    if whole:
        return dict(description)
    return {
        name: public_part(value) if isinstance(value, str) and "://" in value else value
        for name, value in description.items()
    }


def _revealed(settings: Slice) -> dict[str, Any]:
    body = settings.model_dump()
    return {key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in body.items()}


def _keep_password_home(former: dict[str, Any], changes: dict[str, Any]) -> None:
    """Refuse to take a stored password to another address: whoever listens there would be told it.

    Raises:
        PermanentError: the address leads elsewhere and no password was sent with it.
    """
    if former.get("password") is None or "password" in changes:
        return
    for key in _ADDRESSES:
        if changes.get(key) is not None and _authority(changes[key]) not in {
            _authority(former[each]) for each in _ADDRESSES
        }:
            remedy = "Send the password with it, or null for none."
            raise PermanentError(
                "leads elsewhere than the stored password belongs", where=key, remedy=remedy, code="password_elsewhere"
            )


def _authority(url: object) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port of an address; what cannot be read is told by the settings."""
    try:
        parts = urlsplit(str(url))
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None


class Installation:
    """The three registers of a site.

    Attributes:
        loaded: what comes from now on comes by API.
        linking: held while a link to a camera is checked and kept, or a camera is removed that none may lead to.
    """

    def __init__(
        self,
        cameras: Register[CameraSettings],
        devices: Register[DeviceSettings],
        destinations: Register[DestinationSettings],
    ) -> None:
        self.cameras = cameras
        self.devices = devices
        self.destinations = destinations
        self.loaded = False
        self.linking = asyncio.Lock()

    @property
    def faults(self) -> list[Cause]:
        """What the start found wrong with entries."""
        return [*self.devices.faults, *self.destinations.faults, *self.cameras.faults]

    async def load(self) -> None:
        """Make everything live; what cannot be is told in `faults`.

        Raises:
            GatewayError: an alarm device of the file cannot be used.
        """
        await self.devices.load()
        await self.destinations.load()
        await self.cameras.load()
        self.loaded = True
