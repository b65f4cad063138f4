"""Those who listen: every message of the endpoint, and webhook receivers, each in a thread of its own."""

import asyncio
import threading
import time
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gateway.simulators.receiver import WebhookReceiver


class MqttListener:
    """Subscribes to everything and notes it."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.on_connect = lambda client, *_rest: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_rest: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(10)

    def topics(self, part: str = "") -> list[str]:
        """Topics heard so far that hold `part`."""
        return [topic for topic, _payload in self.heard if part in topic]

    def wait(self, topic: str, payload: bytes, seconds: float = 10.0) -> None:
        """Wait for a message whose payload holds `payload`."""
        until = time.monotonic() + seconds
        while not any(each == topic and payload in what for each, what in self.heard):
            assert time.monotonic() < until, f"{topic} {payload!r} never came: {self.heard}"
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None


class Receiving:
    """A webhook receiver in a thread."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self.receiver = receiver
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver")

    def __enter__(self) -> WebhookReceiver:
        self._thread.start()
        self._do(self.receiver.__aenter__())
        return self.receiver

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def __exit__(self, *_error: object) -> None:
        self._do(self.receiver.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
