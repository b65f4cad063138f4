"""One RTSP connection: answers its requests and holds its session (RFC 2326 §10)."""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.simulators.camera.archive import REPLAY_PATH, Archive
from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.mutation import Mutator
from gateway.simulators.camera.playback import Playback
from gateway.simulators.camera.rtsp import sdp
from gateway.simulators.camera.rtsp.channel import Channel, InterleavedChannel, open_udp
from gateway.simulators.camera.rtsp.message import Reply, Request, read_request
from gateway.simulators.camera.rtsp.metadata import TRACK as METADATA_TRACK
from gateway.simulators.camera.rtsp.metadata import MetadataSession, MetadataTrack
from gateway.simulators.camera.rtsp.replay import FEATURE, ReplaySession, asked_range, said_range
from gateway.simulators.camera.rtsp.session import StreamSession

_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_TIMEOUT_SECONDS = 60
_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?$")


class RtspConnection:
    """Answers requests of one client; its stream ends with it."""

    def __init__(
        self,
        playbacks: Mapping[str, Playback],
        realm: DigestRealm,
        archive: Archive,
        writer: asyncio.StreamWriter,
        number: int,
        metadata: MetadataTrack,
    ) -> None:
        self._playbacks = playbacks
        self._realm = realm
        self._archive = archive
        self._quirks = archive.quirks
        self._writer = writer
        self._number = number
        self._id = secrets.token_hex(8)
        self._session: StreamSession | ReplaySession | None = None
        self._metadata = metadata
        self._metadata_session: MetadataSession | None = None
        self.may_set_up: Callable[[], bool] = lambda: True
        self.mutator: Mutator | None = None
        self._answers = {
            "DESCRIBE": self._describe,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._keep_alive,
            "SET_PARAMETER": self._keep_alive,
            "TEARDOWN": self._teardown,
        }

    async def answer_all(self, reader: asyncio.StreamReader) -> None:
        """Answer requests until the client goes.

        Raises:
            ValueError: the client speaks no RTSP.
            OSError, EOFError: the connection broke.
        """
        while (request := await read_request(reader)) is not None:
            reply = await self._answer(request)
            self._writer.write(self._encoded(reply, request))
            await self._writer.drain()
            if request.method == "PLAY" and reply.status == 200:  # noqa: PLR2004 a status
                for session in self._sessions:
                    session.play()

    def _encoded(self, reply: Reply, request: Request) -> bytes:
        if self.mutator is None:
            return reply.encode(request)
        return self.mutator.encoded(lambda body: replace(reply, body=body).encode(request), reply.body)

    def close(self) -> None:
        """End what is set up."""
        for session in self._sessions:
            session.close()
        self._session = self._metadata_session = None

    @property
    def _sessions(self) -> tuple[StreamSession | ReplaySession | MetadataSession, ...]:
        return tuple(each for each in (self._session, self._metadata_session) if each is not None)

    async def _answer(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(headers={"Public": _METHODS})
        if not self._realm.accepts(request.method, request.headers.get("authorization", "")):
            return Reply(401, {"WWW-Authenticate": self._realm.challenge()})
        if "replay-refused" in self._quirks and request.path.startswith(REPLAY_PATH):
            return Reply(401, {"WWW-Authenticate": self._realm.challenge()})
        required = request.headers.get("require", "")
        if required and not (required == FEATURE and self._archive.exists):
            return Reply(551, {"Unsupported": required})
        if request.method == "SETUP":
            return await self._setup(request)
        answer = self._answers.get(request.method)
        return answer(request) if answer else Reply(501)

    def _describe(self, request: Request) -> Reply:
        playback = self._playback(request.path)
        if playback is None:
            return Reply(404)
        if "redirects" in self._quirks:
            return Reply(302, {"Location": "rtsp://192.0.2.10:554/elsewhere"})
        host: str = self._writer.get_extra_info("sockname")[0]
        headers = {"Content-Base": f"{request.url.rstrip('/')}/", "Content-Type": "application/sdp"}
        described = sdp.describe(playback.recording, host, self._number, with_sets="sets-in-stream" not in self._quirks)
        if self._metadata.is_offered(request.path):
            described += self._metadata.describe()
        return Reply(headers=headers, body=self._as_told(described))

    def _playback(self, path: str) -> Playback | None:
        """What is played at a path; the camera's own recording is that of its main stream."""
        return self._playbacks.get("/main" if self._archive.exists and path == REPLAY_PATH else path)

    def _as_told(self, described: bytes) -> bytes:
        if "unknown-codec" in self._quirks:
            described = described.replace(b"H264/", b"NEW9/").replace(b"H265/", b"NEW9/")
        return described.replace(b"s=Live", "s=东门".encode("gbk")) if "gbk-name" in self._quirks else described

    async def _setup(self, request: Request) -> Reply:
        path, _, track = request.path.rpartition("/")
        playback = self._playback(path)
        of_metadata = track == METADATA_TRACK and self._metadata.is_offered(path)
        if playback is None or not (of_metadata or track == sdp.TRACK):
            return Reply(404)
        if path not in self._playbacks and "require" not in request.headers:
            return Reply(400)  # who does not know what a replay is
        if self._session is not None and self._session.is_playing:
            return Reply(455)
        if not self.may_set_up():
            return Reply(453)
        channel = await self._channel(request.headers.get("transport", ""))
        if channel is None:
            return Reply(461)
        made = self._of_metadata(channel) if of_metadata else self._of_pictures(path, playback, channel)
        transport = f"{channel.transport_header};ssrc={made.rtp.ssrc:08X}"
        return Reply(headers={"Transport": transport, "Session": f"{self._id};timeout={_TIMEOUT_SECONDS}"})

    def _of_pictures(self, path: str, playback: Playback, channel: Channel) -> StreamSession | ReplaySession:
        if self._session is not None:
            self._session.close()
        self._session = self._opened(path, playback, channel)
        return self._session

    def _of_metadata(self, channel: Channel) -> MetadataSession:
        if self._metadata_session is not None:
            self._metadata_session.close()
        self._metadata_session = MetadataSession(self._metadata, channel, self.hang_up)
        return self._metadata_session

    def _opened(self, path: str, playback: Playback, channel: Channel) -> StreamSession | ReplaySession:
        if path in self._playbacks:
            return StreamSession(playback, channel, self._quirks, self.hang_up)
        return ReplaySession(playback.recording, self._archive, channel, self.hang_up)

    async def _channel(self, offered: str) -> Channel | None:
        """The first transport of the offer that is served here."""
        for offer in offered.split(","):
            first, *options = offer.strip().split(";")
            named = dict(option.partition("=")[::2] for option in options)
            if "multicast" in named:
                continue
            if first.upper() == "RTP/AVP/TCP":
                return InterleavedChannel(self._writer, *_pair(named.get("interleaved", "0-1"), limit=255))
            if first.upper() in {"RTP/AVP", "RTP/AVP/UDP"} and "client_port" in named:
                return await self._udp(*_pair(named["client_port"], limit=65535))
        return None

    async def _udp(self, rtp_port: int, rtcp_port: int) -> Channel:
        own: str = self._writer.get_extra_info("sockname")[0]
        peer: str = self._writer.get_extra_info("peername")[0]
        return await open_udp(own, (peer, rtp_port, rtcp_port))

    def _play(self, request: Request) -> Reply:
        if not self._sessions or not self._is_mine(request):
            return Reply(454)
        said = self._ask(self._session, request) if isinstance(self._session, ReplaySession) else "npt=now-"
        if not said:
            return Reply(457)
        info = f"url={request.url.rstrip('/')}/{sdp.TRACK};seq={self._sessions[0].rtp.sequence}"
        return Reply(headers={"Session": self._id, "Range": said, "RTP-Info": info})

    def _ask(self, session: ReplaySession, request: Request) -> str:
        """What a replay will show, as it is told; empty if nothing of what is asked for is there."""
        hurries = request.headers.get("rate-control", "yes").lower() == "no" and "replay-paced" not in self._quirks
        asked = asked_range(request.headers.get("range", ""), self._archive, hurries=hurries)
        if asked is None:
            return ""
        session.ask(asked)
        return said_range(asked)

    def _pause(self, request: Request) -> Reply:
        if not self._sessions or not self._is_mine(request):
            return Reply(454)
        for session in self._sessions:
            session.pause()
        return Reply(headers={"Session": self._id})

    def _keep_alive(self, _request: Request) -> Reply:
        return Reply(headers={"Session": self._id} if self._sessions else {})

    def _teardown(self, request: Request) -> Reply:
        if not self._sessions or not self._is_mine(request):
            return Reply(454)
        self.close()
        return Reply()

    def _is_mine(self, request: Request) -> bool:
        return request.headers.get("session", "").partition(";")[0].strip() == self._id

    def hang_up(self) -> None:
        """Close after what is buffered; the reading side then ends the session."""
        for session in self._sessions:
            session.pause()
        self._writer.close()


def _pair(text: str, limit: int) -> tuple[int, int]:
    match = _PAIR.match(text)
    if match is None:
        raise ValueError(f"no pair of channels or ports: {text!r}")
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    if max(first, second) > limit:
        raise ValueError(f"channel or port above {limit}")
    return first, second
