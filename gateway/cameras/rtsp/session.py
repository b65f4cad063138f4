"""What any RTSP session of ours is made of: requests, proofs, interleaved packets, signs of life (RFC 2326 §10)."""

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit, urlunsplit

from gateway.cameras.http import Timeouts
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.rtsp.connection import Connection, connect
from gateway.cameras.rtsp.digest import RtspDigest
from gateway.cameras.rtsp.message import MessageReader, NotRtspError, Packet, Reply
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.cameras.tracked import Trust

_OK, _UNAUTHORIZED, _NOT_FOUND, _SESSION_NOT_FOUND = 200, 401, 404, 454
_KEEP_ALIVE_SECONDS, _LEAST_SECONDS = 10.0, 1.0
_SESSION_SECONDS = 60.0
_READ_BYTES = 64 * 1024
_MOST_WAITING = _READ_BYTES  # one read may bring a quarter of it
_MOST_UNSENT = 64 * 1024
_TEARDOWN_SECONDS = 1.0
_CHANNELS = re.compile(r"interleaved=(\d{1,3})")
_TIMEOUT = re.compile(r"timeout=(\d{1,6})")
_AGENT = "Campus Gateway"


class RtspSession:
    """One track of a camera from DESCRIBE to TEARDOWN, interleaved in its TCP connection.

    Args:
        url: of the stream, at the host that was typed, without credentials.
        digest: answers challenges; None for an open camera.
        guard: counts refusals of the password over RTSP.
        trust: whom the connection may lead to.
        timeouts: for connecting and for each silence.
        where: the camera, for messages.
    """

    # What each request says besides.
    always: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        url: str,
        digest: RtspDigest | None,
        guard: PasswordGuard,
        trust: Trust,
        timeouts: Timeouts,
        where: str,
    ) -> None:
        self._url = self._base = url
        self._digest = digest
        self._guard = guard
        self._trust = trust
        self._timeouts = timeouts
        self._where = where
        self._connection: Connection | None = None
        self._messages = MessageReader()
        self._waiting: deque[Packet | Reply] = deque()
        self._number = 0
        self._id = ""
        self._channel = 0
        self._every = _KEEP_ALIVE_SECONDS
        self._keeps_alive_by = "GET_PARAMETER"
        self._proved_again = self._awaits_answer = False
        self._heard_at = self._asked_at = 0.0

    async def close(self) -> None:
        """Tear the session down as far as the camera lets, and close the connection."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        try:
            if self._id and not connection.writer.is_closing():
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_TEARDOWN_SECONDS):
                        connection.writer.write(self._request("TEARDOWN", self._base, {}))
                        await connection.writer.drain()
        finally:
            await connection.close()

    async def _connect(self) -> None:
        """Connect, unless the password may not be tried."""
        self._guard.check()
        self._connection = await connect(self._url, self._trust, self._timeouts.connect, self._where)

    async def _describe(self) -> bytes:
        """The stream's description; what it is relative to is known then."""
        reply = await self._asked("DESCRIBE", self._url, {"Accept": "application/sdp"})
        said = reply.header("content-base") or reply.header("content-location")
        self._base = self._moved(urljoin(self._url, said)) if said else self._url
        return reply.body

    async def _play(self, headers: Mapping[str, str]) -> Reply:
        reply = await self._asked("PLAY", self._base, headers)
        self._asked_at = self._heard_at = time.monotonic()
        return reply

    async def _packet(self) -> Packet | None:
        """The next packet of the track; None, at least every ten seconds, is a sign of life.

        Raises:
            CameraError: the session has ended, or is silent.
        """
        while True:
            while self._waiting:
                found = self._waiting.popleft()
                if isinstance(found, Reply):
                    self._kept_alive(found)
                elif found.channel == self._channel:
                    return found
            if time.monotonic() - self._asked_at >= self._every:
                self._check_silence()
                self._keep_alive()
                return None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._asked_at + self._every - time.monotonic())):
                    await self._read()

    def _address_of(self, control: str) -> str:
        if control in ("", "*"):
            return self._base
        if "://" in control:
            return self._moved(control)
        return f"{self._base.rstrip('/')}/{control.lstrip('/')}"

    def _moved(self, url: str) -> str:
        """An address that the camera tells, at this connection's host and port and without credentials."""
        try:
            told, own = urlsplit(url), urlsplit(self._url)
        except ValueError:
            return self._url
        return urlunsplit((own.scheme, own.netloc, told.path, told.query, ""))

    async def _set_up(self, address: str) -> None:
        reply = await self._asked("SETUP", address, {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
        name, _, rest = reply.header("session").partition(";")
        self._id = (name.split() or [""])[0]
        if not self._id:
            raise self._error(CameraState.STREAM_DEAD, "RTSP: SETUP names no session")
        if (channel := _CHANNELS.search(reply.header("transport"))) is not None:
            self._channel = int(channel[1])
        lives = _TIMEOUT.search(rest)
        seconds = float(lives[1]) if lives is not None else _SESSION_SECONDS
        self._every = min(_KEEP_ALIVE_SECONDS, max(_LEAST_SECONDS, seconds / 2))

    async def _asked(self, method: str, url: str, headers: Mapping[str, str]) -> Reply:
        """The good reply to a request, sent again once it is known how the password is to be proved."""
        try:
            async with asyncio.timeout(self._timeouts.read):
                reply = await self._exchange(method, url, headers)
                if reply.status == _UNAUTHORIZED and self._may_prove(reply):
                    reply = await self._exchange(method, url, headers)
        except TimeoutError:
            what = f"RTSP: no answer to {method} in {self._timeouts.read:g} s"
            raise self._error(CameraState.UNREACHABLE, what) from None
        if reply.status == _UNAUTHORIZED:
            raise self._refused(reply)
        if reply.status != _OK:
            raise self._failure(method, reply.status)
        self._guard.accepted()
        return reply

    def _failure(self, method: str, status: int) -> CameraError:
        """What an answer means that is none."""
        return self._error(CameraState.STREAM_DEAD, f"RTSP: {method} is answered with status {status}")

    def _may_prove(self, reply: Reply) -> bool:
        return self._digest is not None and self._digest.adopt(reply.headers.get("www-authenticate", ()))

    def _refused(self, reply: Reply) -> CameraError:
        challenges = " ".join(reply.headers.get("www-authenticate", ())).lower()
        if "digest" not in challenges:
            what = "RTSP: it wants the password in clear (Basic), which is not sent: choose Digest in the camera"
            return self._error(CameraState.CREDENTIALS_WRONG, what)
        if self._digest is None:
            return self._error(CameraState.CREDENTIALS_WRONG, "RTSP: it asks for credentials")
        self._guard.refused()
        return self._error(CameraState.CREDENTIALS_WRONG, "RTSP: the camera does not accept the credentials")

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str]) -> Reply:
        """Send and wait for the reply; packets that come before it wait."""
        self._write(self._request(method, url, headers))
        while True:
            reply = next((each for each in self._waiting if isinstance(each, Reply)), None)
            if reply is not None:
                self._waiting.remove(reply)
                return reply
            await self._read()

    async def _read(self) -> None:
        """Take what comes next."""
        assert self._connection is not None, "open it first"  # noqa: S101  # a programmer's mistake
        try:
            data = await self._connection.reader.read(_READ_BYTES)
            if not data:
                raise self._error(CameraState.STREAM_DEAD, "RTSP: the camera has closed the connection")
            self._waiting += self._messages.feed(data)
        except OSError:
            raise self._error(CameraState.STREAM_DEAD, "RTSP: the connection broke") from None
        except NotRtspError as error:
            raise self._error(CameraState.STREAM_DEAD, f"RTSP: {error}") from None
        self._heard_at = time.monotonic()
        if len(self._waiting) > _MOST_WAITING:
            raise self._error(CameraState.STREAM_DEAD, "RTSP: packets without end in place of an answer")

    def _keep_alive(self) -> None:
        self._asked_at, self._awaits_answer = time.monotonic(), True
        self._write(self._request(self._keeps_alive_by, self._base, {}))

    def _kept_alive(self, reply: Reply) -> None:
        """A camera that knows no GET_PARAMETER is asked for its OPTIONS; one whose challenge is old is answered.

        An answer to nothing that was asked is passed over: each could be made to cost a request.
        """
        if not self._awaits_answer:
            return
        self._awaits_answer = False
        if reply.status == _SESSION_NOT_FOUND:
            raise self._error(CameraState.STREAM_DEAD, "RTSP: the camera has forgotten the session")
        if reply.status == _UNAUTHORIZED:
            if self._proved_again or not self._may_prove(reply):
                raise self._refused(reply)
            self._proved_again = True
            self._keep_alive()
            return
        self._proved_again = False
        if reply.status >= _NOT_FOUND:
            self._keeps_alive_by = "OPTIONS"

    def _check_silence(self) -> None:
        silent = time.monotonic() - self._heard_at
        if silent > self._every + self._timeouts.read:
            raise self._error(CameraState.STREAM_DEAD, f"RTSP: nothing was heard for {silent:.0f} s")

    def _write(self, request: bytes) -> None:
        assert self._connection is not None, "open it first"  # noqa: S101  # a programmer's mistake
        if self._connection.writer.is_closing():
            raise self._error(CameraState.STREAM_DEAD, "RTSP: the camera has closed the connection")
        if self._connection.writer.transport.get_write_buffer_size() > _MOST_UNSENT:
            raise self._error(CameraState.STREAM_DEAD, "RTSP: the camera reads nothing of what it is sent")
        self._connection.writer.write(request)

    def _request(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        self._number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._number}", f"User-Agent: {_AGENT}"]
        proof = self._digest.header(method, url) if self._digest is not None else ""
        lines += [f"Authorization: {proof}"] if proof else []
        lines += [f"Session: {self._id}"] if self._id else []
        lines += [f"{name}: {value}" for name, value in (*self.always.items(), *headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=self._where)
