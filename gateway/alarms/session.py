"""The gateway as client of an external MQTT broker: a persistent session, acknowledged after the journal's commit."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.alarms.messages import Feedback, InboundMessage
from gateway.errors import GatewayError, PermanentError
from gateway.settings import BrokerSettings

_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 30.0
_NEVER = 0xFFFF_FFFF
_FILTERS_AT_ONCE = 100
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerState:
    """Whether a broker is connected, and why not."""

    address: str
    connected: bool
    reason: str = ""


class MqttSession:
    """One broker.

    Args:
        broker: its address and credentials' file.
        site: names the client, unless the broker's entry does.
        topics: the filters to subscribe to; asked at each connection and by `resubscribe`.
        handler: takes a message; returns once it may be acknowledged.

    A message whose handler fails is not acknowledged; the connection is closed, so that the broker delivers it again.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        *,
        site: str,
        topics: Callable[[], Sequence[str]],
        handler: Callable[[InboundMessage], Awaitable[None]],
    ) -> None:
        parts = urlsplit(broker.url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self.address = f"{parts.scheme}://{self._host}:{self._port}"
        self._broker = broker
        self._handler = handler
        self._topics = topics
        self._asked: tuple[str, ...] = ()
        self._wait = _FIRST_WAIT_SECONDS
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[mqtt.MQTTMessage] = asyncio.Queue()
        self._lost = asyncio.Event()
        self._state = BrokerState(self.address, connected=False, reason="not connected yet")
        self._client = self._make_client(parts.scheme == "mqtts", unquote(parts.username or ""), site)

    def _make_client(self, tls: bool, username: str, site: str) -> mqtt.Client:
        client_id = self._broker.client_id or f"campus-gateway-{site}"
        shares = self._broker.share_group is not None
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if shares else False,
            protocol=MQTTProtocolVersion.MQTTv5 if shares else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(self._broker.receive_maximum)
        client.max_queued_messages_set(1000)
        if username:
            client.username_pw_set(username, self._password())
        if tls:
            client.tls_set_context(self._tls_context())
        return client

    def _password(self) -> str | None:
        path = self._broker.password_file
        if path is None:
            return None
        try:
            return path.read_text("utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise PermanentError(f"cannot be read: {why}", where=str(path)) from None

    def _tls_context(self) -> ssl.SSLContext:
        broker = self._broker
        try:
            context = ssl.create_default_context(cafile=broker.ca_file)
            if broker.certificate_file is not None:
                context.load_cert_chain(broker.certificate_file, broker.key_file)
        except OSError as error:
            remedy = "Name PEM files that this user may read: ca_file, certificate_file, key_file."
            raise PermanentError(f"TLS cannot be used: {error}", where=self.address, remedy=remedy) from None
        return context

    def _join(self) -> None:
        """Connect to the broker, with the session of before."""
        keepalive = self._broker.keepalive_seconds
        if self._broker.share_group is None:
            self._client.connect(self._host, self._port, keepalive)
            return
        said = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        said.SessionExpiryInterval = _NEVER
        said.ReceiveMaximum = self._broker.receive_maximum
        self._client.connect(self._host, self._port, keepalive, clean_start=False, properties=said)

    @property
    def state(self) -> BrokerState:
        """Whether the broker is connected."""
        return self._state

    def answer(self, feedback: Feedback) -> None:
        """Publish feedback to a button with QoS 1; queued while the broker is away."""
        self._client.publish(feedback.topic, feedback.payload, qos=1)

    def resubscribe(self) -> None:
        """The filters have changed: ask the broker for the new ones and take back the old ones."""
        gone = [each for each in self._asked if each not in self._wanted()]
        if self._state.connected and gone:
            self._client.unsubscribe(gone)
        if self._state.connected:
            self._subscribe()

    def _wanted(self) -> tuple[str, ...]:
        return tuple(_shared(each, self._broker.share_group) for each in self._topics())

    def _subscribe(self) -> None:
        wanted = self._wanted()
        for start in range(0, len(wanted), _FILTERS_AT_ONCE):
            self._client.subscribe([(each, 1) for each in wanted[start : start + _FILTERS_AT_ONCE]])
        self._asked = wanted

    async def run(self) -> None:
        """Stay connected and take messages, until cancelled; it may be run again after a fault."""
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        try:
            while True:
                self._drain()
                if await self._connect():
                    await self._take_messages()
                await asyncio.to_thread(self._client.loop_stop)
                await asyncio.sleep(random.uniform(self._wait / 2, self._wait))  # noqa: S311  # jitter, no secret
                self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)
        finally:
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)
            self._client.on_connect = self._client.on_disconnect = self._client.on_message = None

    async def _connect(self) -> bool:
        self._lost.clear()
        try:
            await asyncio.to_thread(self._join)
        except (OSError, ValueError) as error:
            self._state = BrokerState(self.address, connected=False, reason=str(error) or type(error).__name__)
            _log.warning("broker %s: %s", self.address, error)
            return False
        self._client.loop_start()
        return True

    async def _take_messages(self) -> None:
        lost = asyncio.ensure_future(self._lost.wait())
        get: asyncio.Future[mqtt.MQTTMessage] | None = None
        try:
            while not lost.done():
                get = asyncio.ensure_future(self._inbox.get())
                try:
                    await asyncio.wait({get, lost}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if waiting := not get.done():
                        get.cancel()
                if waiting:
                    return
                if not await self._take_group([get.result(), *self._drain()]):
                    self._client.disconnect()
                    return
        finally:
            lost.cancel()
            if get is not None:
                get.cancel()

    def _drain(self) -> list[mqtt.MQTTMessage]:
        drained = []
        while not self._inbox.empty():
            drained.append(self._inbox.get_nowait())
        return drained

    async def _take_group(self, group: list[mqtt.MQTTMessage]) -> bool:
        """Handle messages together, so that they share a commit; acknowledge them in order up to the first failure."""
        results = await asyncio.gather(*(self._handler(self._inbound(each)) for each in group), return_exceptions=True)
        for message, result in zip(group, results, strict=True):
            if isinstance(result, GatewayError):
                _log.error("broker %s: a message could not be stored: %s", self.address, result)
                return False
            if isinstance(result, BaseException):
                raise result
            self._client.ack(message.mid, message.qos)
        return True

    def _inbound(self, message: mqtt.MQTTMessage) -> InboundMessage:
        return InboundMessage(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            retain=message.retain,
            replayed=message.retain,
            origin=self.address,
        )

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:  # noqa: ANN401  # paho's types
        if code.is_failure:
            self._post(BrokerState(self.address, connected=False, reason=str(code)))
            self._loop.call_soon_threadsafe(self._lost.set)
            return
        self._call(self._welcomed)
        self._post(BrokerState(self.address, connected=True))

    def _welcomed(self) -> None:
        self._wait = _FIRST_WAIT_SECONDS
        self._subscribe()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:  # noqa: ANN401  # paho's types
        self._post(BrokerState(self.address, connected=False, reason=str(code)))
        self._call(self._lost.set)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401  # paho's types
        self._call(lambda: self._inbox.put_nowait(message))

    def _post(self, state: BrokerState) -> None:
        def note() -> None:
            self._state = state

        self._call(note)

    def _call(self, what: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)


def _shared(topic: str, group: str | None) -> str:
    """What is subscribed to; a group shares the presses, while each of its gateways supervises all buttons (§4.8.2)."""
    return f"$share/{group}/{topic}" if group and topic.endswith("/event") else topic
