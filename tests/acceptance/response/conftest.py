"""A gateway with two buttons, two destinations and an output of each kind, and who stands before it."""

from collections.abc import Iterator

import httpx
import pytest
from harness.daemon import Daemon, problems
from harness.listening import Receiving
from harness.press import Presser

from gateway.simulators.receiver import WebhookReceiver

SETTINGS = """
[[devices]]
id = "btn-01"
name = "东门岗亭"
place = "East gate booth"

[[devices]]
id = "btn-02"
place = "Library"
reports_clear = true

[[procedures]]
id = "press"
title = "一键报警 Emergency button"
kinds = ["campus.button.pressed"]
steps = ["Call the place on radio 1", "Send the patrol"]

[[procedures]]
id = "press-discreet"
title = "Silent press"
kinds = ["campus.button.pressed"]
discreet = true
steps = ["Do not call the place"]

[[destinations]]
id = "office"
url = "{office}"

[[destinations]]
id = "police"
url = "{police}"
audience = "police"

[[outputs]]
id = "siren-own"

[[outputs]]
id = "siren-shelly"
kind = "shelly"
topic = "shellyplus1-a8"

[[outputs]]
id = "siren-gen1"
kind = "shelly_gen1"
topic = "shellies/shelly1-b9"

[[outputs]]
id = "lamp-tasmota"
kind = "tasmota"
topic = "lamp"
states = ["raised", "acknowledged", "dispatched"]

[[outputs]]
id = "siren-zigbee"
kind = "zigbee2mqtt"
topic = "zigbee2mqtt/siren"
"""


@pytest.fixture(scope="module")
def office() -> Iterator[WebhookReceiver]:
    with Receiving(WebhookReceiver()) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def police() -> Iterator[WebhookReceiver]:
    with Receiving(WebhookReceiver()) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def daemon(
    tmp_path_factory: pytest.TempPathFactory, office: WebhookReceiver, police: WebhookReceiver
) -> Iterator[Daemon]:
    extra = SETTINGS.format(office=office.url, police=police.url)
    with Daemon(tmp_path_factory.mktemp("response"), extra=extra) as running:
        running.set_up_administrator()
        yield running
        assert problems(running.log) == []


@pytest.fixture
def client(daemon: Daemon) -> Iterator[httpx.Client]:
    """The administrator at a browser that is no post."""
    with daemon.client() as client:
        yield client


@pytest.fixture(scope="module")
def safe(daemon: Daemon) -> Iterator[httpx.Client]:
    """A post that is marked discreet-safe, with sound."""
    with daemon.client() as client:
        enrolled = client.post("/posts", json={"name": "Gate house", "place": "East", "discreet_safe": True})
        assert enrolled.status_code == httpx.codes.CREATED, enrolled.text
        assert client.post("/posts/heartbeat", json={"sound": True}).status_code == httpx.codes.NO_CONTENT
        yield client


@pytest.fixture(scope="module")
def presser(daemon: Daemon) -> Iterator[Presser]:
    with Presser(daemon.mqtt_port) as presser:
        yield presser


@pytest.fixture(scope="module")
def other(daemon: Daemon) -> Iterator[Presser]:
    with Presser(daemon.mqtt_port, "btn-02") as presser:
        yield presser
