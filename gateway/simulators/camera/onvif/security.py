"""Checks the WS-Security UsernameToken of a request (ONVIF Core §5.12.2, OASIS UsernameToken Profile 1.1)."""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from gateway.simulators.camera.onvif.soap import SoapRequest

_WINDOW = timedelta(seconds=10)
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


class TokenGuard:
    """Knows one user; a token is good once, and only near the camera's own time."""

    def __init__(self, username: str, password: str, *, zulu_only: bool) -> None:
        self._username = username
        self._password = password.encode()
        self._zulu_only = zulu_only
        self._seen: dict[str, datetime] = {}

    def is_good(self, request: SoapRequest, now: datetime) -> bool:
        """Whether a request has a token that is right at the camera's time `now`, and was not used before."""
        if request.header is None:
            return False
        said = {name: request.header.findtext(f".//{{*}}{name}") or "" for name in _FIELDS}
        return (
            said["Username"] == self._username
            and self._is_now(said["Created"], now)
            and self._proves(said)
            and self._is_first(said["Nonce"], now)
        )

    def _proves(self, said: dict[str, str]) -> bool:
        try:
            nonce = base64.b64decode(said["Nonce"], validate=True)
        except binascii.Error:
            return False
        digest = hashlib.sha1(nonce + said["Created"].encode() + self._password, usedforsecurity=False).digest()
        return hmac.compare_digest(base64.b64encode(digest), said["Password"].encode())

    def _is_now(self, created: str, now: datetime) -> bool:
        if self._zulu_only and not _ZULU.match(created):
            return False
        try:
            at = datetime.fromisoformat(created)
        except ValueError:
            return False
        return abs((at if at.tzinfo else at.replace(tzinfo=UTC)) - now) <= _WINDOW

    def _is_first(self, nonce: str, now: datetime) -> bool:
        self._seen = {old: at for old, at in self._seen.items() if now - at <= 2 * _WINDOW}
        if nonce in self._seen:
            return False
        self._seen[nonce] = now
        return True


_FIELDS = ("Username", "Password", "Nonce", "Created")
