"""A simulated alarm button: a real MQTT client with last will, health and feedback, pressed by key or by clock."""

import argparse
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_DISCREET = ("silent", "duress")
_KINDS = ("press", "silent", "duress", "test", "tamper", "clear")
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 10.0
_FEEDBACK_SECONDS = 3.0
_KEYS = {"p": "press", "s": "silent", "t": "test", "c": "clear"}


class SimulatedButton:
    """One button in the gateway's own profile.

    Args:
        host, port: of the endpoint or broker.
        site, device: who it is.
        on_feedback: told what the gateway answered.
        on_trouble: told why there is no connection: each cause once, until there was one again.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        site: str,
        device: str,
        on_feedback: Callable[[dict[str, Any]], None] | None = None,
        on_trouble: Callable[[str], object] | None = None,
    ) -> None:
        self._on_trouble = on_trouble
        self._troubles: set[str] = set()
        self._base = f"campus/{site}/button/{device}"
        self._on_feedback = on_feedback
        self._address = (host, port)
        self._started = time.monotonic()
        self._taken, self._refusal = threading.Event(), ""
        self._presses: list[mqtt.MQTTMessageInfo] = []
        self._untold = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"button-{device}", clean_session=False)
        self._client.will_set(f"{self._base}/state", json.dumps({"online": False}), qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._unreachable
        self._client.on_subscribe = self._listens
        self._client.on_message = self._answered

    def sign_in(self, username: str, password: str) -> None:
        """Use credentials; call it before `start`."""
        self._client.username_pw_set(username, password)

    def start(self) -> None:
        """Connect, and stay connected in a thread."""
        self._client.connect_async(*self._address, keepalive=20)
        self._client.loop_start()

    def wait_until_taken(self, seconds: float) -> str:
        """Wait for the endpoint's answer; why it took no connection, empty if it did."""
        if self._taken.wait(seconds):
            return ""
        return self._refusal or f"did not answer within {seconds:g} s"

    def wait_for_answers(self, seconds: float) -> int:
        """Wait until every press is acknowledged; how many are not."""
        until = time.monotonic() + seconds
        while (left := sum(not each.is_published() for each in self._presses)) and time.monotonic() < until:
            time.sleep(0.02)
        return left

    def wait_for_feedback(self, seconds: float) -> int:
        """Wait until the gateway said of every press, but for discreet ones, that it has it; of how many it did not."""
        until = time.monotonic() + seconds
        while self._untold > 0 and time.monotonic() < until:
            time.sleep(0.02)
        return max(self._untold, 0)

    def press(self, kind: str = "press", press_id: str | None = None) -> str:
        """Press once; sent again until it is acknowledged. The id of the press."""
        identity = press_id or str(uuid.uuid4())
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = json.dumps({"id": identity, "type": kind, "at": at})
        self._untold += kind not in _DISCREET
        self._presses = [each for each in self._presses if not each.is_published()]
        self._presses.append(self._client.publish(f"{self._base}/event", body, qos=1))
        return identity

    def report_health(self) -> None:
        """Say how it is."""
        uptime = round(time.monotonic() - self._started, 1)
        body = {"battery": 97, "rssi": -61, "firmware": "simulated-1", "uptime": uptime}
        self._client.publish(f"{self._base}/health", json.dumps(body), qos=0)

    def stop(self) -> None:
        """Leave in order."""
        self._client.publish(f"{self._base}/state", json.dumps({"online": False}), qos=1, retain=True)
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None
        self._client.on_connect_fail = None

    def _connected(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, *_rest: Any) -> None:  # noqa: ANN401  # paho's arguments
        if reason.is_failure:
            self._refusal = f"refused the connection: {reason}"
            self._tell(f"{self._where} {self._refusal}")
            return
        self._troubles.clear()
        client.subscribe(f"{self._base}/feedback", qos=1)
        client.publish(f"{self._base}/state", json.dumps({"online": True}), qos=1, retain=True)
        self.report_health()

    @property
    def _where(self) -> str:
        host, port = self._address
        return f"{host}:{port}"

    def _unreachable(self, *_rest: object) -> None:
        self._tell(f"cannot reach {self._where}; is the gateway running?")

    def _tell(self, trouble: str) -> None:
        if self._on_trouble is not None and trouble not in self._troubles:
            self._troubles.add(trouble)
            self._on_trouble(trouble)

    def _listens(self, *_rest: object) -> None:
        """What is pressed from now on is answered where it is heard."""
        self._taken.set()

    def _answered(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        try:
            answer = json.loads(message.payload)
        except ValueError:  # of whoever else writes at a broker; an exception here would end paho's thread
            return
        if not isinstance(answer, dict):
            return
        self._untold -= answer.get("state") == "received"
        if self._on_feedback is not None:
            self._on_feedback(answer)


def main(argv: Sequence[str]) -> int:
    """Run a button as a command: Enter presses, s is silent, t tests, c clears, q ends; 1 if a press got no answer."""
    arguments = _parser().parse_args(argv)
    button = SimulatedButton(
        host=arguments.host,
        port=arguments.port,
        site=arguments.site,
        device=arguments.device,
        on_feedback=_show,
        on_trouble=_failed,
    )
    if arguments.username:
        try:
            password = arguments.password_file.read_text("utf-8").strip() if arguments.password_file else ""
        except OSError as error:
            print(f"button: {arguments.password_file}: {error.strerror}", file=sys.stderr)  # noqa: T201  # a command
            return 2
        button.sign_in(arguments.username, password)
    button.start()
    if trouble := button.wait_until_taken(_CONNECT_SECONDS):
        button.stop()
        where = f"{arguments.host}:{arguments.port}"
        return _failed(
            f"{where}: {trouble}. Does the gateway run, and does its mqtt.port lie there? Nothing was pressed."
        )
    ended = threading.Event()
    health = threading.Thread(target=_keep_well, args=(button, arguments.health_seconds, ended), name="health")
    health.start()
    try:
        _press_by_clock(button, arguments) if arguments.every else _press_by_key(button, arguments)
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()
        health.join()
        unanswered = button.wait_for_answers(_ANSWER_SECONDS)
        untold = 0 if unanswered else button.wait_for_feedback(_FEEDBACK_SECONDS)
        button.stop()
    if unanswered:
        return _failed(f"{unanswered} of the presses were not acknowledged: the gateway may not have them.")
    if untold:
        who = f"{arguments.device} of the site {arguments.site}"
        return _failed(f"{untold} of the presses were acknowledged, but not taken as presses. Is {who} configured?")
    return 0


def _failed(what: str) -> int:
    print(f"button: {what}", file=sys.stderr, flush=True)  # noqa: T201  # a command
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campus-gateway simulate button", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where the gateway or the broker listens (%(default)s)")
    parser.add_argument("--port", type=int, default=1883, help="the gateway's mqtt.port (%(default)s)")
    parser.add_argument("--site", default="east-campus", help="the gateway's gateway.site (%(default)s)")
    parser.add_argument("--device", default="btn-01", help="id of its entry in [[devices]] (%(default)s)")
    parser.add_argument("--username", help="of [[mqtt.users]], if the gateway asks for a password")
    parser.add_argument("--password-file", type=Path, help="holds the password of that user")
    parser.add_argument("--kind", choices=_KINDS, default="press", help="what Enter sends, and the clock")
    parser.add_argument("--every", type=float, default=0.0, metavar="S", help="press every S seconds, not by key")
    parser.add_argument("--count", type=int, default=0, help="end after so many presses by the clock")
    parser.add_argument("--health-seconds", type=float, default=30.0, help="how often it says how it is (%(default)s)")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when stdin is closed")
    return parser


def _press_by_clock(button: SimulatedButton, arguments: argparse.Namespace) -> None:
    number = 0
    while not arguments.count or number < arguments.count:
        number += 1
        print(f"pressed {button.press(arguments.kind)}", flush=True)  # noqa: T201  # what the command is for
        time.sleep(arguments.every)


def _press_by_key(button: SimulatedButton, arguments: argparse.Namespace) -> None:
    print(f"Enter sends {arguments.kind}, p presses, s is silent, t tests, c clears, q ends", file=sys.stderr)  # noqa: T201  # a command
    for line in sys.stdin:
        key = line.strip().lower()
        if key == "q":
            return
        kind = _KEYS.get(key, key) if key else arguments.kind
        if kind not in _KINDS:
            print(f"no such key: {key}", file=sys.stderr)  # noqa: T201  # a command
            continue
        print(f"pressed {button.press(kind)}", flush=True)  # noqa: T201  # what the command is for
    if not arguments.exit_with_parent:  # without a keyboard it stays on as a well button, until it is ended by a signal
        threading.Event().wait()


def _keep_well(button: SimulatedButton, seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds):
        button.report_health()


def _show(answer: dict[str, Any]) -> None:
    print(f"gateway: {answer.get('state')} {answer.get('event')}", flush=True)  # noqa: T201  # what the command is for
