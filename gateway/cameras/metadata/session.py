"""One RTSP session for a metadata track alone, interleaved in its TCP connection (RFC 2326 §10, §12.37)."""

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit, urlunsplit

from gateway.cameras.http import Timeouts
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.metadata.connection import Connection, connect
from gateway.cameras.metadata.digest import RtspDigest
from gateway.cameras.metadata.documents import DocumentAssembler
from gateway.cameras.metadata.message import MessageReader, NotRtspError, Packet, Reply
from gateway.cameras.metadata.sdp import MetadataTrack, metadata_tracks
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.cameras.tracked import Trust

_OK, _UNAUTHORIZED, _NOT_FOUND, _SESSION_NOT_FOUND = 200, 401, 404, 454
_KEEP_ALIVE_SECONDS, _LEAST_SECONDS = 10.0, 1.0
_SESSION_SECONDS = 60.0
_READ_BYTES = 64 * 1024
_MOST_WAITING = _READ_BYTES  # one read may bring a quarter of it
_TEARDOWN_SECONDS = 1.0
_CHANNELS = re.compile(r"interleaved=(\d{1,3})")
_TIMEOUT = re.compile(r"timeout=(\d{1,6})")
_AGENT = "Campus Gateway"


class MetadataSession:
    """One camera's metadata track from DESCRIBE to TEARDOWN.

    Args:
        url: of the profile's stream, at the host that was typed, without credentials.
        digest: answers challenges; None for an open camera.
        guard: counts refusals of the password over RTSP.
        trust: whom the connection may lead to.
        timeouts: for connecting and for each silence.
        where: the camera, for messages.

    Attributes:
        dropped: documents that never were whole.
    """

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
        self._documents = DocumentAssembler()
        self._waiting: deque[Packet | Reply] = deque()
        self._number = 0
        self._id = ""
        self._channel = 0
        self._every = _KEEP_ALIVE_SECONDS
        self._keeps_alive_by = "GET_PARAMETER"
        self._proved_again = False
        self._heard_at = self._asked_at = 0.0

    @property
    def dropped(self) -> int:
        """Documents that were begun and never were whole."""
        return self._documents.dropped

    async def open(self) -> None:
        """Connect, find the track, set it up and play it.

        Raises:
            CameraError: `NO_EVENTS` if there is no track that can be read; other states as they are.
        """
        self._guard.check()
        self._connection = await connect(self._url, self._trust, self._timeouts.connect, self._where)
        track = await self._described()
        await self._set_up(self._address_of(track))
        await self._asked("PLAY", self._base, {"Range": "npt=0.000-"})
        self._asked_at = self._heard_at = time.monotonic()

    async def next(self) -> bytes | None:
        """The next document; None, at least every ten seconds, is a sign of life.

        Raises:
            CameraError: the session has ended, or is silent.
        """
        while True:
            while self._waiting:
                found = self._waiting.popleft()
                if isinstance(found, Reply):
                    self._kept_alive(found)
                elif found.channel == self._channel and (document := self._documents.take(found.data)) is not None:
                    return document
            if time.monotonic() - self._asked_at >= self._every:
                self._check_silence()
                self._keep_alive()
                return None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._asked_at + self._every - time.monotonic())):
                    await self._read()

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

    async def _described(self) -> MetadataTrack:
        reply = await self._asked("DESCRIBE", self._url, {"Accept": "application/sdp"})
        said = reply.header("content-base") or reply.header("content-location")
        self._base = self._moved(urljoin(self._url, said)) if said else self._url
        track = next(iter(metadata_tracks(reply.body)), None)
        if track is None:
            raise self._error(CameraState.NO_EVENTS, "its stream has no metadata track")
        if not track.is_plain:
            what = f"its metadata are compressed ({track.encoding}), which is not read: choose none in the camera"
            raise self._error(CameraState.NO_EVENTS, what)
        return track

    def _address_of(self, track: MetadataTrack) -> str:
        if track.control in ("", "*"):
            return self._base
        if "://" in track.control:
            return self._moved(track.control)
        return f"{self._base.rstrip('/')}/{track.control.lstrip('/')}"

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
            raise self._error(CameraState.STREAM_DEAD, f"RTSP: {method} is answered with status {reply.status}")
        self._guard.accepted()
        return reply

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
        self._asked_at = time.monotonic()
        self._write(self._request(self._keeps_alive_by, self._base, {}))

    def _kept_alive(self, reply: Reply) -> None:
        """A camera that knows no GET_PARAMETER is asked for its OPTIONS; one whose challenge is old is answered."""
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
        self._connection.writer.write(request)

    def _request(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        self._number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._number}", f"User-Agent: {_AGENT}"]
        proof = self._digest.header(method, url) if self._digest is not None else ""
        lines += [f"Authorization: {proof}"] if proof else []
        lines += [f"Session: {self._id}"] if self._id else []
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=self._where)
