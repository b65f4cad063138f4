"""Which incident is before the guard's eyes: the worst, unless he chose another; his keys are for that one."""

import time

import pytest
from harness.daemon import Daemon
from harness.rawmqtt import RawClient
from harness.tools import needs
from playwright.sync_api import Page, expect

pytestmark = [needs("chromium"), pytest.mark.timeout(120)]


def press(daemon: Daemon) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-01/event", f'{{"id": "{time.time_ns()}", "type": "press"}}'.encode())


def test_a_press_takes_the_place_of_a_lesser_incident_that_nobody_chose(page: Page, daemon: Daemon) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-01/state", b'{"online": false}')
    lesser, chosen = page.locator(".card.high.raised"), page.locator("[aria-pressed=true]")
    expect(lesser.and_(chosen)).to_be_visible()
    press(daemon)
    emergency = page.locator(".card.critical.raised")
    expect(emergency.and_(chosen)).to_be_visible()
    page.wait_for_timeout(1200)  # before that the key is for what was there before
    page.keyboard.press("a")
    expect(page.locator(".card.critical.acknowledged")).to_be_visible()
    expect(lesser).to_be_visible()
    lesser.click()
    press(daemon)
    expect(emergency).to_be_visible()
    expect(lesser.and_(chosen)).to_be_visible()
