"""A pressing client over paho-mqtt: each press with an id, and the moment of its PUBACK."""

import json
import threading
import time
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Presser:
    """One simulated button; survives the end of the endpoint and sends again what was not acknowledged."""

    def __init__(self, port: int, device: str = "btn-01", site: str = "east") -> None:
        self.topic = f"campus/{site}/button/{device}/event"
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[str, float] = {}
        self._ids: dict[int, str] = {}
        self._early: dict[int, float] = {}
        self._changed = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"presser-{device}", clean_session=False)
        self._client.on_publish = self._on_publish
        self._client.reconnect_delay_set(0.05, 0.5)  # type: ignore[arg-type]  # paho takes fractions too
        self._client.max_inflight_messages_set(20)
        self._client.connect_async("127.0.0.1", port, keepalive=30)
        self._client.loop_start()

    def press(self, press_id: str, **fields: Any) -> None:  # JSON values
        """Send one press; returns before it is acknowledged."""
        payload = json.dumps({"id": press_id, "type": "press", **fields})
        with self._changed:
            self.sent[press_id] = time.monotonic()
        mid = self._client.publish(self.topic, payload, qos=1).mid  # paho's thread may answer before it returns
        with self._changed:
            self._ids[mid] = press_id
            if (early := self._early.pop(mid, None)) is not None:
                self._note(mid, early)

    def press_and_wait(self, press_id: str, seconds: float = 20.0) -> float:
        """Send one press and wait for its PUBACK; seconds between the two."""
        self.press(press_id)
        self.wait(press_id, seconds)
        return self.acknowledged[press_id] - self.sent[press_id]

    def wait(self, press_id: str, seconds: float = 20.0) -> None:
        """Wait for the PUBACK of a press."""
        with self._changed:
            assert self._changed.wait_for(lambda: press_id in self.acknowledged, seconds), f"no PUBACK for {press_id}"

    def wait_all(self, seconds: float = 60.0) -> None:
        """Wait for every PUBACK that is due."""
        with self._changed:
            missing = self._changed.wait_for(lambda: len(self.acknowledged) == len(self.sent), seconds)
            assert missing, f"{len(self.sent) - len(self.acknowledged)} presses were never acknowledged"

    def _on_publish(self, _client: object, _data: object, mid: int, *_rest: object) -> None:
        now = time.monotonic()
        with self._changed:
            if mid in self._ids:
                self._note(mid, now)
            else:
                self._early[mid] = now

    def _note(self, mid: int, when: float) -> None:
        self.acknowledged[self._ids.pop(mid)] = when
        self._changed.notify_all()

    def close(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_publish = None  # breaks the cycle that would keep paho's sockets until the next collection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
