"""HTTP to one camera: bounded in time and size, Digest or Basic once the camera asks, errors as camera states."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.states import CameraError, CameraState, camera_error

_MAX_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_UNAUTHORIZED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, read whole."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds: for connecting, for each silence while reading, and for the whole of one operation."""

    connect: float = 3.0
    read: float = 5.0
    whole: float = 20.0


class _FreshConnections(HTTPAdapter):
    """For cameras that drop a connection after its first answer: one for each request, also for Digest's second."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.poolmanager.clear()
        return super().send(request, stream, timeout, verify, cert, proxies)


class CameraHttp:
    """A connection to one camera, for one thread at a time; blocking.

    The environment's proxies and .netrc are not used, redirects are not followed: credentials go to the camera only.
    """

    def __init__(
        self, where: str, credentials: tuple[str, str] | None, guard: PasswordGuard, timeouts: Timeouts
    ) -> None:
        self._where = where
        self._credentials = credentials
        self._guard = guard
        self._timeouts = timeouts
        self._session = requests.Session()
        self._session.trust_env = False
        self._auth: dict[str, AuthBase] = {}
        self._deadline = 0.0

    def begin(self) -> None:
        """Start the clock of one operation, which may be several requests."""
        self._deadline = time.monotonic() + self._timeouts.whole

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, holds_password: bool) -> Reply:
        """POST `body`; a refusal counts as one of the password only if `holds_password` or Digest or Basic is in use.

        Raises:
            CameraError: with its state; a status other than 401 and 403 is no error here.
        """
        reply = self._send("POST", url, body, headers)
        return self._checked(reply, tried_password=holds_password or "POST" in self._auth)

    def get(self, url: str) -> Reply:
        """GET `url`; errors as in `post`."""
        reply = self._send("GET", url, None, {})
        return self._checked(reply, tried_password="GET" in self._auth)

    def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        reply = self._attempt(method, url, body, headers)
        if reply.status_code in _UNAUTHORIZED and self._adopt(method, reply.headers.get("WWW-Authenticate", "")):
            reply = self._attempt(method, url, body, headers)
        return reply

    def _checked(self, reply: Reply, *, tried_password: bool) -> Reply:
        if reply.status_code in _UNAUTHORIZED and b"Envelope" not in reply.content:
            if tried_password:
                self._guard.refused()
            raise self._error(CameraState.CREDENTIALS_WRONG, f"the camera answered with status {reply.status_code}")
        return reply

    def _adopt(self, method: str, challenge: str) -> bool:
        """Answer challenges of this kind from now on; False if that changes nothing.

        Basic, which tells the password, is for pictures only: SOAP has its token.
        """
        if self._credentials is None or method in self._auth:
            return False
        username, password = self._credentials
        if "digest" in challenge.lower():
            self._auth[method] = HTTPDigestAuth(username, password)
        elif "basic" in challenge.lower() and method == "GET":
            self._auth[method] = HTTPBasicAuth(username.encode(), password.encode())
        return method in self._auth

    def _attempt(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send; if a kept connection turned out to be closed by the camera, once more, and keep none from now on."""
        try:
            return self._exchange(method, url, body, headers)
        except requests.ConnectionError as error:
            if not _was_dropped(error):
                raise self._translated(error) from None
        except requests.RequestException as error:
            raise self._translated(error) from None
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _FreshConnections())
        try:
            return self._exchange(method, url, body, headers)
        except requests.RequestException as error:
            raise self._translated(error) from None

    def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        timeout = (min(self._timeouts.connect, self._remaining()), min(self._timeouts.read, self._remaining()))
        with self._session.request(
            method,
            url,
            data=body,
            headers=dict(headers),
            timeout=timeout,
            stream=True,
            allow_redirects=False,
            auth=self._auth.get(method),
        ) as response:
            return Reply(response.status_code, response.headers, self._read(response), response.encoding)

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > _MAX_BYTES:
                raise self._error(CameraState.NOT_ONVIF, f"the answer is larger than {_MAX_BYTES} bytes")
            self._remaining()
        return bytes(content)

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._error(CameraState.UNREACHABLE, f"the camera took longer than {self._timeouts.whole:g} s")
        return remaining

    def _translated(self, error: requests.RequestException) -> CameraError:
        """The camera's state; the library's own text is left out, since it may hold the URL."""
        if isinstance(error, requests.ConnectTimeout):
            return self._error(CameraState.UNREACHABLE, "no connection in time")
        if isinstance(error, requests.Timeout):
            return self._error(CameraState.UNREACHABLE, "the camera accepts connections but does not answer")
        if _caused_by(error, ConnectionRefusedError):
            return self._error(CameraState.REFUSED, "connection refused")
        if "BadStatusLine" in repr(error):
            return self._error(CameraState.NOT_ONVIF, "what answers there does not speak HTTP")
        if _was_dropped(error):
            return self._error(CameraState.UNREACHABLE, "the camera closes the connection without an answer")
        return self._error(CameraState.UNREACHABLE, f"no connection ({type(error).__name__})")

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=self._where)


def _was_dropped(error: BaseException) -> bool:
    return _caused_by(error, ConnectionResetError, BrokenPipeError) and not _caused_by(error, ConnectionRefusedError)


def _caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether one of `kinds` is the error, one of its arguments or a reason of these."""
    waiting: list[object] = [error]
    for found in waiting:
        if isinstance(found, kinds):
            return True
        if isinstance(found, BaseException) and len(waiting) < _MAX_CAUSES:
            waiting += [*found.args, found.__cause__, found.__context__, getattr(found, "reason", None)]
    return False


_MAX_CAUSES = 64
