"""Random tokens of sessions, links and programs; only their hashes are kept."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from gateway.events import new_id
from gateway.storage.values import ApiToken


def new_token() -> str:
    """A random token of 256 bits."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """The SHA-256 of a random token of 256 bits, in hex; that is all that is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_token(name: str, role: str, now: datetime, lives: timedelta | None = None) -> tuple[ApiToken, str]:
    """A new token and its text, ``gw_<id>_<secret>``; only the text's hash is in the value."""
    identity = re.sub("-", "", new_id())[-12:]
    text = f"gw_{identity}_{new_token()}"
    ends = now + lives if lives else None
    return ApiToken(id=identity, key=hash_of(text), name=name, role=role, created=now, ends=ends), text
