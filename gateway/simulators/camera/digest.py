"""The server's side of HTTP Digest and Basic authentication (RFC 2617), for RTSP and for HTTP."""

import base64
import hashlib
import hmac
import re
import secrets
import time

_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
_NONCE_LIFETIME_SECONDS = 24 * 3600.0


class DigestRealm:
    """One user and password behind a realm; an empty user name means open to all."""

    def __init__(self, realm: str, username: str, password: str) -> None:
        self._realm = realm
        self._username = username
        self._secret = _md5(f"{username}:{realm}:{password}")
        self._basic = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
        self._nonce_key = secrets.token_bytes(16)

    @property
    def is_open(self) -> bool:
        """Whether everybody may enter."""
        return not self._username

    def challenge(self) -> str:
        """The value of a ``WWW-Authenticate`` header with a fresh nonce."""
        return f'Digest realm="{self._realm}", nonce="{self._nonce()}", algorithm=MD5, qop="auth"'

    def accepts(self, method: str, authorization: str) -> bool:
        """Whether the ``Authorization`` value proves knowledge of the password for a request by `method`."""
        if self.is_open:
            return True
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "digest":
            return False
        said = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
        if said.get("username") != self._username or not self._is_own(said.get("nonce", "")):
            return False
        return hmac.compare_digest(self._expected(method, said), said.get("response", "").lower())

    def basic_challenge(self) -> str:
        """The value of a ``WWW-Authenticate`` header that asks for Basic."""
        return f'Basic realm="{self._realm}"'

    def accepts_basic(self, authorization: str) -> bool:
        """Whether the ``Authorization`` value tells user name and password by Basic."""
        return self.is_open or hmac.compare_digest(self._basic.encode(), authorization.encode())

    def _expected(self, method: str, said: dict[str, str]) -> str:
        request = _md5(f"{method}:{said.get('uri', '')}")
        if "qop" not in said:
            return _md5(f"{self._secret}:{said['nonce']}:{request}")
        middle = ":".join((said["nonce"], said.get("nc", ""), said.get("cnonce", ""), said["qop"]))
        return _md5(f"{self._secret}:{middle}:{request}")

    def _nonce(self) -> str:
        stamp = f"{time.monotonic_ns():016x}"
        return stamp + self._seal(stamp)

    def _is_own(self, nonce: str) -> bool:
        stamp, seal = nonce[:16], nonce[16:]
        if not hmac.compare_digest(self._seal(stamp).encode(), seal.encode()):
            return False
        return time.monotonic_ns() - int(stamp, 16) < _NONCE_LIFETIME_SECONDS * 1e9

    def _seal(self, stamp: str) -> str:
        return hmac.new(self._nonce_key, stamp.encode(), hashlib.sha256).hexdigest()[:16]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
