"""The seals of the watch-list: each person's key, and what its templates and photos are bound to."""

import hmac
from dataclasses import dataclass, field

from gateway.sealing import associated, derive_key, new_key, seal, unseal, unwrap_key, wrap_key
from gateway.wire import SealedRow

_TEMPLATE, _PHOTO = "template", "photo"


@dataclass(frozen=True, slots=True)
class PersonSeal:
    """The opened key of one person.

    What it seals is bound to the person, the photo and the kind, a template also to the model that made it: none can
    be moved to another record.

    Attributes:
        wrapped_key: the key as it is kept, wrapped under the people key; without it nothing of the person opens.
    """

    person: str
    wrapped_key: bytes = field(repr=False)
    _key: bytes = field(repr=False)

    def seal_template(self, photo: str, fingerprint: str, template: bytes) -> bytes:
        """Seal a template (float32, little-endian) that the model `fingerprint` made of `photo`."""
        return seal(self._key, template, associated(_TEMPLATE, self.person, photo, fingerprint))

    def open_template(self, photo: str, fingerprint: str, sealed: bytes) -> bytes:
        """The inverse of `seal_template`.

        Raises:
            SealError: it is of another key or record.
        """
        return unseal(self._key, sealed, associated(_TEMPLATE, self.person, photo, fingerprint))

    def seal_photo(self, photo: str, jpeg: bytes) -> bytes:
        """Seal an enrolment photo."""
        return seal(self._key, jpeg, associated(_PHOTO, self.person, photo))

    def open_photo(self, photo: str, sealed: bytes) -> bytes:
        """The inverse of `seal_photo`.

        Raises:
            SealError: it is of another key or record.
        """
        return unseal(self._key, sealed, associated(_PHOTO, self.person, photo))

    def digest(self, file: bytes) -> bytes:
        """HMAC-SHA256 (RFC 2104) of a file, 32 bytes: the same for the same file of the same person."""
        return hmac.digest(derive_key(self._key, "photo digest"), file, "sha256")


class PersonSeals:
    """Opens and makes the keys of persons.

    Args:
        people_key: 32 bytes; wraps every person's key.
    """

    def __init__(self, people_key: bytes) -> None:
        self._people_key = people_key

    def of_new(self, person: str) -> PersonSeal:
        """A fresh key for a person who has none."""
        key = new_key()
        return PersonSeal(person, wrap_key(self._people_key, key, person), key)

    def for_person(self, person: str, wrapped_key: bytes) -> PersonSeal:
        """The person's key; a fresh one if `wrapped_key` is empty.

        Raises:
            SealError: the wrapped key is of another people key or person.
        """
        if not wrapped_key:
            return self.of_new(person)
        return PersonSeal(person, wrapped_key, unwrap_key(self._people_key, wrapped_key, person))

    def open_template(self, row: SealedRow) -> bytes:
        """The template of a row of the store.

        Raises:
            SealError: key or template do not belong to the row.
        """
        return self.for_person(row.person, row.wrapped_key).open_template(row.photo, row.fingerprint, row.template)
