"""Receives alarm panels over SIA DC-09: a reply ACK means that what the panel said is on disk."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.alarms.dialects.said import PayloadError
from gateway.alarms.messages import InboundMessage
from gateway.alarms.sia.cipher import decrypt, encrypt, key_of
from gateway.alarms.sia.frame import LONGEST, Frame, FrameError, FrameReader, parse, split_stamp, stamp_of, wrap
from gateway.clock import Clock
from gateway.errors import GatewayError, PermanentError
from gateway.events import Cause, because, of_error
from gateway.settings import LOOPBACK, SiaAccountSettings, SiaSettings

_FIRST_SECONDS = 30.0
_IDLE_SECONDS = 3600.0
_MOST_DATAGRAMS = 256
_log = logging.getLogger(__name__)
Handler = Callable[[str, InboundMessage], Awaitable[bool]]
OnFault = Callable[[Cause, str], Awaitable[None]]
_NO_TIME = because("sia_no_time", "an encrypted message has no time stamp")


@dataclass(frozen=True, slots=True)
class SiaStatistics:
    """What the receiver did since its start."""

    connections: int
    acknowledged: int
    refused: int


class _Refused(Exception):  # noqa: N818  # carries a reply, is no error of ours
    def __init__(self, cause: Cause, reply: bytes = b"") -> None:
        super().__init__(cause.words)
        self.cause, self.reply = cause, reply


class SiaReceiver:
    """Listens for panels with TCP and UDP on one port.

    Args:
        settings: address, accounts and limits.
        handler: takes an account and a message with topic ``<id>/<sequence>``; returns once it is durable, False if
            no device has the account. Raises PayloadError, or GatewayError if it could not be stored.
        on_fault: records why a panel was refused: the cause and who.

    Raises:
        PermanentError: an account's key is none.
    """

    def __init__(self, settings: SiaSettings, *, handler: Handler, on_fault: OnFault, clock: Clock) -> None:
        self._settings = settings
        self._handler = handler
        self._on_fault = on_fault
        self._clock = clock
        self._keys = {each.account: account_key(each) for each in settings.accounts}
        self._open: dict[asyncio.Task[None], bool] = {}
        self._datagrams: set[asyncio.Task[None]] = set()
        self._counts = Counter[str]()
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            PermanentError: the address cannot be used.
        """
        host, port = self._settings.host, self._settings.port
        loop = asyncio.get_running_loop()
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._take_datagram), local_addr=(host, self.port)
            )
        except OSError as error:
            remedy = "Choose another sia.port, or end what listens there."
            raise PermanentError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", remedy=remedy) from None

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise PermanentError("the receiver of alarm panels is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def statistics(self) -> SiaStatistics:
        """Figures for the health page."""
        return SiaStatistics(len(self._open), self._counts["acknowledged"], self._counts["refused"])

    async def stop(self) -> None:
        """Take no more; what came as a datagram and is being stored is replied to first, a panel on TCP sends again."""
        if self._server is None:
            return
        self._server.close()
        if self._datagrams:
            await asyncio.wait(self._datagrams, timeout=2.0)
        if self._transport is not None:
            self._transport.close()
        for task in list(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=2.0)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a server's callback is a task
        peer = str(writer.get_extra_info("peername", ("?",))[0])
        try:
            if len(self._open) >= self._settings.max_connections and not self._send_stranger_away():
                await self._record(_too_many(self._settings.max_connections), peer)
                return
            self._open[task] = False
            await self._converse(task, reader, writer, peer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._open.pop(task, None)
            writer.close()

    def _send_stranger_away(self) -> bool:
        """End the oldest connection on which nothing was acknowledged yet: whoever they are, a panel must come in."""
        oldest = next((task for task, known in self._open.items() if not known), None)
        if oldest is not None:
            del self._open[oldest]
            oldest.cancel()
        return oldest is not None

    async def _converse(
        self, task: "asyncio.Task[None]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
    ) -> None:
        """Answer frame after frame; who has had none acknowledged has half a minute for each."""
        frames = FrameReader()
        while data := await asyncio.wait_for(
            reader.read(LONGEST), _IDLE_SECONDS if self._open.get(task) else _FIRST_SECONDS
        ):
            try:
                for raw in frames.feed(data):
                    reply = await self.reply_to(raw, f"tcp {peer}")
                    self._open[task] = self._open[task] or _acknowledges(reply)
                    writer.write(reply)
                    await asyncio.wait_for(writer.drain(), _FIRST_SECONDS)
            except FrameError as error:
                await self._record(of_error("sia_bad_frame", error), peer)
                return

    def _take_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if len(self._datagrams) >= _MOST_DATAGRAMS:  # the panel sends again
            return
        task = asyncio.get_running_loop().create_task(self._answer_datagram(data, address), name="sia datagram")
        self._datagrams.add(task)
        task.add_done_callback(self._datagrams.discard)

    async def _answer_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            for raw in FrameReader().feed(data):
                reply = await self.reply_to(raw, f"udp {address[0]}")
                if reply and self._transport is not None:
                    self._transport.sendto(reply, address)
        except FrameError as error:
            await self._record(of_error("sia_bad_frame", error), address[0])

    async def reply_to(self, raw: bytes, who: str) -> bytes:
        """The reply to one frame (without LF and CR), behind the commit; empty where none is due (DC-09 §5.5.2)."""
        try:
            frame = parse(raw)
            key, content = self._open_frame(frame)
            return await self._take(frame, key, content, who)
        except _Refused as refused:
            await self._record(refused.cause, who)
            return refused.reply
        except FrameError as error:  # such a frame says nothing that can be trusted, not even who sent it
            await self._record(of_error("sia_bad_frame", error), who)
            return b""

    def _open_frame(self, frame: Frame) -> tuple[bytes | None, bytes]:
        """The key of an encrypted frame, and what it says without its time stamp."""
        key = self._keys.get(frame.account)
        if frame.encrypted and key is None:
            account = frame.account or "-"
            cause = because("sia_no_key", f"no key is configured for account {account}", account=account)
            raise _Refused(cause, _duh(frame))
        if frame.encrypted and key is not None:
            content, stamp = split_stamp(decrypt(key, frame.body))
            if stamp is None:
                raise _Refused(_NO_TIME, self._nak())
        else:
            self._check_plain(frame, key)
            key = None
            content, stamp = split_stamp(frame.body)
        self._check_time(frame, stamp)
        return key, content

    def _check_plain(self, frame: Frame, key: bytes | None) -> None:
        if key is not None:
            what = f"account {frame.account} has a key, and its message is not encrypted"
            cause = because("sia_not_encrypted", what, account=frame.account)
        elif self._settings.host not in LOOPBACK and not self._settings.allow_plain:
            what = "an unencrypted message came: give the account a key, or set sia.allow_plain"
            cause = because("sia_not_encrypted", what, reason="sia_plain")
        else:
            return
        raise _Refused(cause, self._nak())

    def _check_time(self, frame: Frame, stamp: datetime | None) -> None:
        if stamp is None:
            return
        ahead = (stamp - self._clock.now()).total_seconds()
        if not -self._settings.behind_seconds <= ahead <= self._settings.ahead_seconds:
            account = frame.account or "-"
            what = f"account {account}: its clock is {ahead:+.0f} s from this one"
            raise _Refused(because("sia_wrong_time", what, account=account, seconds=f"{ahead:+.0f}"), self._nak())

    async def _take(self, frame: Frame, key: bytes | None, content: bytes, who: str) -> bytes:
        topic = f"{frame.token}/{frame.sequence}"
        message = InboundMessage(topic=topic, payload=content, qos=1, origin=f"sia {who}")
        try:
            known = await self._handler(frame.account, message)
        except PayloadError as error:
            cause = because("sia_not_understood", f"account {frame.account}: {error}", account=frame.account)
            raise _Refused(cause, _duh(frame)) from None
        except GatewayError as error:  # no reply: the panel sends again
            _log.error("a message of panel %s could not be stored: %s", frame.account, error)
            return b""
        if not known:
            self._counts["refused"] += 1
            return self._nak()
        self._counts["acknowledged"] += 1
        return self._ack(frame, key)

    def _ack(self, frame: Frame, key: bytes | None) -> bytes:
        if key is None:
            return wrap(_head("ACK", frame) + b"[]")
        return wrap(_head("*ACK", frame) + b"[" + encrypt(key, b"]" + stamp_of(self._clock.now())))

    def _nak(self) -> bytes:
        """Refused; tells this clock's time, so that the panel can set its own (§5.5.2.3)."""
        return wrap(b'"NAK"0000R0L0A0[]' + stamp_of(self._clock.now()))

    async def _record(self, cause: Cause, who: str) -> None:
        self._counts["refused"] += 1
        try:
            await self._on_fault(cause, who)
        except GatewayError as error:
            _log.error("a fault could not be stored: %s: %s", cause.fault, error)


def _too_many(limit: int) -> Cause:
    return because("sia_too_many", f"more than {limit} connections", limit=limit)


def _head(token: str, frame: Frame) -> bytes:
    account = f"#{frame.account}" if frame.account else ""
    return f'"{token}"{frame.sequence}{frame.receiver}{frame.line}{account}'.encode()


def _acknowledges(reply: bytes) -> bool:
    return b'ACK"' in reply


def _duh(frame: Frame) -> bytes:
    """Not understood (§5.5.2.4); never encrypted, because it says nothing."""
    return wrap(_head("DUH", frame) + b"[]")


def account_key(account: SiaAccountSettings) -> bytes | None:
    """The key of an account; None if it has none.

    Raises:
        PermanentError: its file cannot be read, or is no key.
    """
    path, where = account.key_file, f"sia.accounts.{account.account}"
    try:
        if account.key is not None:
            return key_of(account.key.get_secret_value())
        return None if path is None else key_of(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PermanentError(f"{path} cannot be read: {why}", where=f"{where}.key_file") from None
    except PermanentError as error:
        field = "key" if path is None else "key_file"
        raise PermanentError(error.what, where=f"{where}.{field}", remedy=error.remedy) from None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, addr)
