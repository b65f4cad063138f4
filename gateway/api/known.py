"""Credentials that were good when last seen, so that a caller is known by its head before any work is done for it."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

from gateway.storage import AccountStore, hash_of

_MOST = 10_000
_BEARER = b"Bearer "


def credential_of(headers: Iterable[tuple[bytes, bytes]], cookie: bytes) -> str | None:
    """The hash of the bearer token that a head carries, or else of its session cookie.

    Args:
        headers: with names in lower case.
        cookie: name of the session cookie.
    """
    token = b""
    for name, value in headers:
        if name == b"authorization" and value.startswith(_BEARER):
            return hash_of(value.removeprefix(_BEARER).strip().decode("latin-1"))
        if name == b"cookie":
            for pair in value.split(b";"):
                key, _, content = pair.strip().partition(b"=")
                if key == cookie:
                    token = content
    return hash_of(token.decode("latin-1")) if token else None


class KnownCredentials:
    """Hashes of sessions and tokens; only a hint, for each call is checked against the store all the same."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()

    async def load(self, accounts: AccountStore, now: datetime) -> None:
        """Know who is signed in already, so that a restart makes strangers of nobody."""
        for user in await accounts.users():
            for session in await accounts.sessions_of(user.name):
                if session.ends > now and not user.disabled:
                    self.note(session.key, good=True)
        for token in await accounts.tokens():
            if not token.revoked and (token.ends is None or token.ends > now):
                self.note(token.key, good=True)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def note(self, key: str, *, good: bool) -> None:
        """What was found of it just now; of very many, those that were good last are known."""
        self._keys.pop(key, None)
        if good:
            self._keys[key] = None
            if len(self._keys) > _MOST:
                self._keys.popitem(last=False)
