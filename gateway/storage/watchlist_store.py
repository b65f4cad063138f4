"""The watch-list: people, their sealed photos and templates, and the revision that each change makes."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from gateway.errors import PermanentError
from gateway.sealing import new_key
from gateway.storage.key_check import WrongKeyError
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements
from gateway.storage.values import NewTemplate, Person, PhotoInfo, SealedPhoto, TemplateRow
from gateway.storage.vault import Vault

_SQL = load_statements("watchlist")


class WatchListStore:
    """Rows of the watch-list; this room cannot open a template or a photo of it.

    Args:
        state: where they are.
        vault: wraps the keys of pictures.
        wrong_key: with it nobody can be added, who would be lost once the right key is back.
    """

    def __init__(self, state: State, vault: Vault, wrong_key: WrongKeyError | None = None) -> None:
        self._wrong_key = wrong_key
        self._state = state
        self._vault = vault

    async def revision(self) -> int:
        """The newest revision; 0 while the list was never changed."""
        return int(await self._state.read(_revision))

    async def add(self, person: Person) -> int:
        """Add somebody, without photos yet.

        Returns:
            the revision that this made.

        Raises:
            PermanentError: the id is there already.
            WrongKeyError: the master key is not the one of this state.
        """
        if self._wrong_key is not None:
            raise WrongKeyError(self._wrong_key.where, self._wrong_key.what)
        evidence_key = self._vault.wrap_evidence_key(new_key(), person.id)

        def work(connection: sqlite3.Connection) -> int:
            try:
                connection.execute(_SQL["add"], (*_columns(person), evidence_key))
            except sqlite3.IntegrityError:
                raise PermanentError("is there already", where=f"person {person.id}") from None
            return _next_revision(connection)

        return await self._state.write(work)

    async def update(self, person: Person) -> int:
        """Change what is said of somebody; a later `valid_until` brings an expired person back.

        Raises:
            PermanentError: there is nobody of that id.
        """

        def work(connection: sqlite3.Connection) -> int:
            identity, *rest = _columns(person)
            if connection.execute(_SQL["update"], (*rest, identity)).rowcount == 0:
                raise _nobody(person.id)
            return _next_revision(connection)

        return await self._state.write(work)

    async def remove(self, person: str) -> int:
        """Remove somebody: photos, templates and both wrapped keys are erased from the file and its log.

        Raises:
            PermanentError: there is nobody of that id.
        """

        def work(connection: sqlite3.Connection) -> int:
            if connection.execute(_SQL["remove"], (person,)).rowcount == 0:
                raise _nobody(person)
            return _next_revision(connection)

        revision = await self._state.write(work)
        await self._state.erase()
        return revision

    async def get(self, person: str) -> Person | None:
        """Who has that id."""
        return await self._state.read(lambda connection: _person(connection, person))

    async def people(self) -> list[Person]:
        """Everybody, expired ones too, by name."""

        def query(connection: sqlite3.Connection) -> list[Person]:
            ids = [row[0] for row in connection.execute(_SQL["ids"])]
            return [person for each in ids if (person := _person(connection, each)) is not None]

        return await self._state.read(query)

    async def wrapped_key(self, person: str) -> bytes:
        """The person's wrapped key; empty before the first photo.

        Raises:
            PermanentError: there is nobody of that id.
        """
        row = await self._state.read(lambda c: c.execute(_SQL["wrapped_key"], (person,)).fetchone())
        if row is None:
            raise _nobody(person)
        return bytes(row[0])

    async def add_photo(self, photo: SealedPhoto, wrapped_key: bytes) -> int:
        """Add a sealed photo with its template, and the person's wrapped key if it is the first.

        Raises:
            PermanentError: there is nobody of that id, the person has that very photo (``photo_twice``), or another
                photo brought a key meanwhile.
        """

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute(_SQL["wrapped_key"], (photo.person,)).fetchone()
            if row is None:
                raise _nobody(photo.person)
            if row[0] and bytes(row[0]) != wrapped_key:
                raise PermanentError("was sealed under another key", where=f"photo {photo.id}", remedy="Add it again.")
            if connection.execute(_SQL["is_there"], (photo.person, photo.digest)).fetchone():
                raise _photo_twice()
            connection.execute(_SQL["set_key"], (wrapped_key, photo.person))
            quality = json.dumps(photo.quality)
            columns = (photo.id, photo.person, photo.fingerprint, quality, text_of(photo.created))
            judged = (photo.digest or None, photo.own_distance, photo.threshold)
            connection.execute(_SQL["add_photo"], (*columns, photo.photo, photo.template, *judged))
            return _next_revision(connection)

        return await self._state.write(work)

    async def remove_photo(self, person: str, photo: str) -> int:
        """Erase a photo and its template.

        Raises:
            PermanentError: there is no such photo.
        """

        def work(connection: sqlite3.Connection) -> int:
            if connection.execute(_SQL["remove_photo"], (photo, person)).rowcount == 0:
                raise PermanentError("there is no such photo", where=f"photo {photo}", code="no_such_photo")
            return _next_revision(connection)

        revision = await self._state.write(work)
        await self._state.erase()
        return revision

    async def replace_templates(self, person: str, templates: Sequence[NewTemplate], wrapped_key: bytes) -> list[str]:
        """Put new templates in the place of a person's old ones, all in one transaction.

        A photo that was removed meanwhile is left out.

        Returns:
            the photos whose templates were replaced; none makes no revision.

        Raises:
            PermanentError: there is nobody of that id, or not under that key any more.
        """

        def work(connection: sqlite3.Connection) -> list[str]:
            row = connection.execute(_SQL["wrapped_key"], (person,)).fetchone()
            if row is None:
                raise _nobody(person)
            if bytes(row[0]) != wrapped_key:
                raise PermanentError("has another key meanwhile", where=f"person {person}", remedy="Try again.")
            replaced = [each.photo for each in templates if _replace(connection, person, each)]
            if replaced:
                _next_revision(connection)
            return replaced

        return await self._state.write(work)

    async def photo(self, person: str, photo: str) -> SealedPhoto | None:
        """A photo as it was sealed."""
        row = await self._state.read(lambda c: c.execute(_SQL["photo"], (photo, person)).fetchone())
        if row is None:
            return None
        fingerprint, quality, created, sealed, template = row
        return SealedPhoto(
            id=photo,
            person=person,
            fingerprint=fingerprint,
            quality=json.loads(quality),
            created=moment_of(created),
            photo=sealed,
            template=template,
        )

    async def rows(self, now: datetime) -> tuple[int, list[TemplateRow]]:
        """The revision and every template of people whose time has not come at `now`."""

        def query(connection: sqlite3.Connection) -> tuple[int, list[TemplateRow]]:
            connection.execute("BEGIN")
            try:
                rows = connection.execute(_SQL["rows"], (text_of(now),)).fetchall()
                return _revision(connection), [_template_row(row) for row in rows]
            finally:
                connection.execute("COMMIT")

        return await self._state.read(query)

    async def next_expiry(self) -> datetime | None:
        """When the next person's time comes."""
        row = await self._state.read(lambda c: c.execute(_SQL["next_expiry"]).fetchone())
        return moment_of(row[0]) if row[0] else None

    async def expire(self, now: datetime) -> list[tuple[str, int]]:
        """Mark people whose time has come: each with the revision that it made, once."""

        def work(connection: sqlite3.Connection) -> list[tuple[str, int]]:
            due = [row[0] for row in connection.execute(_SQL["due"], (text_of(now),))]
            connection.executemany(_SQL["expire"], [(each,) for each in due])
            return [(each, _next_revision(connection)) for each in due]

        return await self._state.write(work)


def _columns(person: Person) -> tuple[str, ...]:
    return (
        person.id,
        person.name,
        person.category,
        person.reason,
        person.authority,
        text_of(person.valid_until),
        text_of(person.created),
        text_of(person.updated),
        person.created_by,
        person.notes,
    )


def _person(connection: sqlite3.Connection, identity: str) -> Person | None:
    row = connection.execute(_SQL["get"], (identity,)).fetchone()
    if row is None:
        return None
    name, category, reason, authority, valid_until, created, updated, created_by, notes = row
    photos = tuple(
        PhotoInfo(
            id=id_,
            fingerprint=fingerprint,
            quality=json.loads(quality),
            created=moment_of(made),
            own_distance=distance,
            threshold=threshold,
        )
        for id_, fingerprint, quality, made, distance, threshold in connection.execute(_SQL["photos"], (identity,))
    )
    return Person(
        id=identity,
        name=name,
        category=category,
        reason=reason,
        authority=authority,
        valid_until=moment_of(valid_until),
        created=moment_of(created),
        updated=moment_of(updated),
        created_by=created_by,
        notes=notes,
        photos=photos,
    )


def _replace(connection: sqlite3.Connection, person: str, new: NewTemplate) -> bool:
    """Put one new template in its place; whether its photo is there."""
    columns = (new.template, new.fingerprint, json.dumps(new.quality), new.photo, person)
    return connection.execute(_SQL["replace_template"], columns).rowcount > 0


def _template_row(row: tuple[str, str, str, bytes, bytes, str]) -> TemplateRow:
    person, category, photo, key, template, fingerprint = row
    return TemplateRow(
        person=person, category=category, photo=photo, wrapped_key=key, template=template, fingerprint=fingerprint
    )


def _revision(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_SQL["revision"]).fetchone()[0])


def _next_revision(connection: sqlite3.Connection) -> int:
    connection.execute(_SQL["advance"])
    return _revision(connection)


def _photo_twice() -> PermanentError:
    what, remedy = "this very photo is of the entry already", "Give another photo of this person."
    return PermanentError(what, where="photo", remedy=remedy, code="photo_twice")


def _nobody(person: str) -> PermanentError:
    return PermanentError("there is nobody of that id", where=f"person {person}")
