"""Answers a camera's challenge by Digest (RFC 2617), with the bytes of its realm as they came."""

import hashlib
import re
import secrets
from dataclasses import dataclass

_CHALLENGE = re.compile(rb"(?im)^www-authenticate:\s*digest\s+(.*?)\r?$")
_FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_ESCAPED = re.compile(r"\\(.)")
# Realms come in GBK and Latin-1, too: what cannot be read as UTF-8 is kept byte for byte.
_LOSSLESS = ("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One that can be answered.

    Attributes:
        realm, nonce: as they stand between their quotation marks.
        has_qop: it wants an answer with a nonce of ours.
        is_stale: only the nonce before was too old; the password was right.
    """

    realm: str
    nonce: str
    has_qop: bool
    is_stale: bool

    def answer(self, method: str, url: str, username: str, password: str) -> bytes:
        """The value of an ``Authorization`` header."""
        realm = _ESCAPED.sub(r"\1", self.realm)
        secret = _md5(f"{username}:{realm}:{password}")
        request = _md5(f"{method}:{url}")
        fields = {"username": username, "realm": self.realm, "nonce": self.nonce, "uri": url}
        rest = ""
        if self.has_qop:
            mine = secrets.token_hex(8)
            fields["response"] = _md5(f"{secret}:{self.nonce}:00000001:{mine}:auth:{request}")
            rest = f', qop=auth, nc=00000001, cnonce="{mine}"'
        else:
            fields["response"] = _md5(f"{secret}:{self.nonce}:{request}")
        written = ", ".join(f'{name}="{value}"' for name, value in fields.items())
        return f"Digest {written}{rest}".encode(*_LOSSLESS)


def challenge_in(head: bytes) -> Challenge | None:
    """The first challenge of an answer's head that wants MD5, the only one of RFC 2617 that cameras have; else None."""
    for said in _CHALLENGE.findall(head):
        found = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(said.decode(*_LOSSLESS))}
        if found.get("algorithm", "MD5").upper() == "MD5":
            stale = found.get("stale", "").lower() == "true"
            return Challenge(found.get("realm", ""), found.get("nonce", ""), "auth" in found.get("qop", ""), stale)
    return None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(*_LOSSLESS), usedforsecurity=False).hexdigest()
