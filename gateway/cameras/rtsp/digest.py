"""The client's side of HTTP Digest in RTSP (RFC 2326 §14, RFC 2617 §3.2, RFC 7616 §3.4)."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable

_FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_SCHEME = re.compile(r"digest\s", re.IGNORECASE)
_HASHES: dict[str, Callable[..., "hashlib._Hash"]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class RtspDigest:
    """One user's answers to one server's challenges; the password is never sent, for Basic is not answered."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._asked: dict[str, str] = {}
        self._count = 0

    def adopt(self, challenges: Iterable[str]) -> bool:
        """Answer the first challenge that can be answered; False if there is none, or it is the one answered before."""
        for each in challenges:
            said = _fields(each)
            if said and said.get("nonce") and said.get("algorithm", "MD5").upper() in _HASHES:
                is_news = said.get("nonce") != self._asked.get("nonce")
                self._asked, self._count = said, 0
                return is_news
        return False

    def header(self, method: str, url: str) -> str:
        """The Authorization header for a request; empty before a challenge."""
        if not self._asked:
            return ""
        asked, name = self._asked, self._asked.get("algorithm", "MD5").upper()
        realm, nonce = asked.get("realm", ""), asked["nonce"]
        secret, request = self._hash(f"{self._username}:{realm}:{self._password}"), self._hash(f"{method}:{url}")
        fields = {"username": self._username, "realm": realm, "nonce": nonce, "uri": url}
        plain = {"algorithm": name} if "algorithm" in asked else {}
        if "auth" in asked.get("qop", "").replace(" ", "").split(","):
            self._count += 1
            count, own = f"{self._count:08x}", secrets.token_hex(8)
            fields |= {"response": self._hash(f"{secret}:{nonce}:{count}:{own}:auth:{request}"), "cnonce": own}
            plain |= {"qop": "auth", "nc": count}
        else:
            fields["response"] = self._hash(f"{secret}:{nonce}:{request}")
        if "opaque" in asked:
            fields["opaque"] = asked["opaque"]
        quoted = [f'{key}="{_escaped(value)}"' for key, value in fields.items()]
        return "Digest " + ", ".join([*quoted, *(f"{key}={value}" for key, value in plain.items())])

    def _hash(self, text: str) -> str:
        make = _HASHES[self._asked.get("algorithm", "MD5").upper()]
        return str(make(text.encode(), usedforsecurity=False).hexdigest())


def _fields(challenge: str) -> dict[str, str]:
    """The fields of a Digest challenge; empty for another scheme."""
    if not _SCHEME.match(challenge.lstrip()):
        return {}
    found = _FIELD.findall(challenge)
    return {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
