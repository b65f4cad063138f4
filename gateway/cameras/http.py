"""HTTP to one camera: bounded in time and size, Digest or Basic once the camera asks, errors as camera states."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from gateway.cameras.certificate import fingerprint_of
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.cameras.tracked import ForeignPeerError, Sockets, TrackedAdapter, Trust

_MAX_BYTES = {"POST": 2 * 1024 * 1024, "GET": 16 * 1024 * 1024}
_CHUNK = 64 * 1024
_UNAUTHORIZED = frozenset({401, 403})
_ANYBODY = Trust()
MakeBody = Callable[[], bytes | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, read whole."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the status says that the sender may not."""
        return self.status_code in _UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds: for connecting, for each silence while reading, and for the whole of one operation."""

    connect: float = 3.0
    read: float = 5.0
    whole: float = 20.0


class CameraHttp:
    """A connection to one camera, for one thread at a time; blocking, but `break_off` may come from any thread.

    The environment's proxies and .netrc are not used, redirects are not followed: credentials go to the camera only.
    Its cookies are not kept: a camera could make each request larger than the one before.

    Args:
        where: the camera, for messages.
        credentials: user name and password, for Digest and Basic.
        timeouts: for connecting, reading and the whole of an operation.
        trust: whom a connection may lead to.
    """

    def __init__(
        self, where: str, credentials: tuple[str, str] | None, timeouts: Timeouts, trust: Trust = _ANYBODY
    ) -> None:
        self._where = where
        self._credentials = credentials
        self._timeouts = timeouts
        self._trust = trust
        self._sockets = Sockets()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._mount(fresh=False)
        self._auth: dict[str, AuthBase] = {}
        self._deadline = 0.0
        self._more = 0.0

    def _mount(self, *, fresh: bool) -> None:
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TrackedAdapter(self._sockets, self._trust, fresh=fresh))

    @property
    def certificate(self) -> bytes:
        """What the camera showed last, in DER; empty without TLS."""
        return self._sockets.certificate

    def begin(self, more_seconds: float = 0.0) -> None:
        """Start the clock of one operation, which may be several requests; `more_seconds` for a long poll."""
        self._more = more_seconds
        self._deadline = time.monotonic() + self._timeouts.whole + more_seconds

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def cut_off(self) -> None:
        """End what is under way: it took too long."""
        self._sockets.end()

    def break_off(self) -> None:
        """End what is under way, now and later: the camera is given up."""
        self._sockets.break_off()

    def post(self, url: str, make_body: MakeBody, headers: Mapping[str, str]) -> Reply:
        """POST what `make_body` makes, anew for each try: a camera takes a token's nonce once.

        Raises:
            CameraError: with its state; a status is no error here.
        """
        return self._send("POST", url, make_body, headers)

    def get(self, url: str) -> Reply:
        """GET `url`; errors as in `post`."""
        return self._send("GET", url, _nothing, {})

    def _send(self, method: str, url: str, make_body: MakeBody, headers: Mapping[str, str]) -> Reply:
        reply = self._attempt(method, url, make_body, headers)
        if reply.is_refusal and self._adopt(method, reply.headers.get("WWW-Authenticate", "")):
            reply = self._attempt(method, url, make_body, headers)
        if reply.is_refusal:
            self._auth.pop(method, None)  # with it, requests would try the same password twice each time
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

    def _attempt(self, method: str, url: str, make_body: MakeBody, headers: Mapping[str, str]) -> Reply:
        """Send; if a kept connection turned out to be closed by the camera, once more, and keep none from now on."""
        try:
            return self._exchange(method, url, make_body, headers)
        except requests.ConnectionError as error:
            if not _was_dropped(error):
                raise self._translated(error) from None
        except requests.RequestException as error:
            raise self._translated(error) from None
        self._mount(fresh=True)
        try:
            return self._exchange(method, url, make_body, headers)
        except requests.RequestException as error:
            raise self._translated(error) from None

    def _exchange(self, method: str, url: str, make_body: MakeBody, headers: Mapping[str, str]) -> Reply:
        read = self._timeouts.read + self._more
        timeout = (min(self._timeouts.connect, self._remaining()), min(read, self._remaining()))
        with self._session.request(
            method,
            url,
            data=make_body(),
            headers=dict(headers),
            timeout=timeout,
            stream=True,
            allow_redirects=False,
            auth=self._auth.get(method),
        ) as response:
            content = self._read(response, _MAX_BYTES[method])
            return Reply(response.status_code, response.headers, content, response.encoding)

    def _read(self, response: requests.Response, most: int) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > most:
                raise self._error(CameraState.NOT_ONVIF, f"the answer is larger than {most} bytes")
            self._remaining()
        return bytes(content)

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._error(CameraState.UNREACHABLE, f"the camera took longer than {self._timeouts.whole:g} s")
        return remaining

    def _translated(self, error: requests.RequestException) -> CameraError:
        """The camera's state; the library's own text is left out, since it may hold the URL."""
        if _caused_by(error, ForeignPeerError):
            return self._error(CameraState.ELSEWHERE, "its address is in no network of cameras")
        if isinstance(error, requests.exceptions.SSLError):
            return self._untrusted(error)
        if isinstance(error, requests.Timeout):
            silent = "the camera accepts connections but does not answer"
            late = isinstance(error, requests.ConnectTimeout)
            return self._error(CameraState.UNREACHABLE, "no connection in time" if late else silent)
        if _caused_by(error, ConnectionRefusedError):
            return self._error(CameraState.REFUSED, "connection refused")
        if "BadStatusLine" in repr(error):
            return self._error(CameraState.NOT_ONVIF, "what answers there does not speak HTTP")
        dropped = "the camera closes the connection without an answer"
        what = dropped if _was_dropped(error) else f"no connection ({type(error).__name__})"
        return self._error(CameraState.UNREACHABLE, what)

    def _untrusted(self, error: requests.RequestException) -> CameraError:
        url = error.request.url if error.request is not None else ""
        found = fingerprint_of(url or "", self._timeouts.connect, self._trust.networks)
        if not found:
            return self._error(CameraState.NOT_ONVIF, "what answers there speaks no TLS that is understood")
        what = (
            "its certificate is not the one of the settings"
            if self._trust.fingerprint
            else "nobody vouches for its certificate"
        )
        return self._error(CameraState.CERTIFICATE_UNKNOWN, f"{what}; its SHA-256 fingerprint is {found}")

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=self._where)


def _nothing() -> None:
    """The body of a GET."""


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
