"""The whole console before a gateway that does not answer yet, or not any more."""

from collections.abc import Callable
from typing import Any

import pytest
from harness.tools import needs
from playwright.sync_api import Page, Route, expect

pytestmark = needs("chromium")
ME = {"username": "wang", "role": "guard", "site": "east", "demo": False}
SITUATION = {"flood": False, "first": "", "grouped": 0, "drill": None, "post": None, "sees_discreet": False}
INCIDENT = {
    "id": "i1",
    "state": "raised",
    "severity": "critical",
    "kind": "campus.button.pressed",
    "place": "East gate",
    "count": 1,
    "opened": "2026-11-23T08:00:00Z",
    "active": True,
}


def gateway(page: Page, refuses: Callable[[str], int]) -> list[str]:
    """Answer in the gateway's place, with the status that `refuses` gives for a path unless it is 0; what was asked."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        path = route.request.url.split("/api/v1")[1].split("?")[0]
        asked.append(path)
        status = refuses(path)
        if status or path == "/events/stream":
            route.fulfill(status=status or 200, json={"title": "away"})
        else:
            route.fulfill(json=_body(path))

    page.route("**/api/v1/**", answer)
    return asked


def _body(path: str) -> Any:
    return {
        "/session": ME,
        "/situation": SITUATION,
        "/incidents": {"items": [INCIDENT]},
        "/incidents/i1": INCIDENT,
        "/events": {"items": [], "next": 0},
        "/posts": {"items": [], "others": [], "this": None},
        "/walktests": {"items": [], "current": None},
        "/protection": {"items": [], "reaching": 0, "not_reaching": 0, "walk_test": None, "test_due": []},
    }.get(path, {"items": []})


@pytest.mark.parametrize("path", ["/session", "/incidents"])
def test_a_gateway_that_is_away_when_the_console_opens_is_waited_for(bare: Page, path: str) -> None:
    left = [503, 503]
    asked = gateway(bare, lambda each: left.pop() if each == path and left else 0)
    bare.goto(bare.url.replace("/bare", "/index.html"))
    expect(bare.locator(".card .place")).to_have_text("East gate")
    assert asked.count(path) >= 2
    expect(bare.locator(".fatal")).to_have_count(0)


def test_a_session_that_ended_leads_to_the_sign_in_and_leaves_nothing_behind(bare: Page) -> None:
    ended: list[str] = []
    asked = gateway(bare, lambda path: 401 if ended and path == "/session" else 503 if path == "/events/stream" else 0)
    bare.goto(bare.url.replace("/bare", "/index.html"))
    expect(bare.locator(".card .place")).to_have_text("East gate")
    ended.append("now")
    expect(bare.locator("form input[name=password]")).to_be_visible()
    expect(bare.locator(".card")).to_have_count(0)
    bare.locator("h1").click()
    bare.keyboard.press("a")
    bare.wait_for_timeout(300)
    assert "/incidents/i1/acknowledge" not in asked, "a key acts on what nobody sees any more"


def test_what_was_announced_is_gone_from_the_page_of_the_sign_in(bare: Page) -> None:
    gateway(bare, lambda path: 503 if path == "/events/stream" else 0)
    bare.goto(bare.url.replace("/bare", "/index.html"))
    expect(bare.locator(".card .place")).to_have_text("East gate")
    bare.evaluate(
        """async () => {
          const { announce } = await import('/js/announce.js');
          const event = { type: 'campus.button.pressed', data: { place: 'East gate' } };
          announce({ ...event, severity: 'critical' });
          announce({ ...event, severity: 'high' });
        }"""
    )
    for region in ("#alert-region", "#status-region"):
        expect(bare.locator(region)).to_contain_text("East gate")
    bare.locator(".top .plain").last.click()
    expect(bare.locator("form input[name=password]")).to_be_visible()
    for region in ("#alert-region", "#status-region"):
        expect(bare.locator(region)).to_have_text("")


def test_the_last_device_that_is_removed_leaves_no_tile(bare: Page) -> None:
    bare.evaluate(
        """async () => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage('en');
          const { Protection } = await import('/js/views/protection.js');
          const list = document.createElement('ul');
          document.body.replaceChildren(list);
          const fill = (tile, each) => { tile.textContent = each.id; };
          const show = (items) => Protection.prototype.show(list, items, fill);
          show([]); show([{ id: 'btn-01' }]); show([]);
        }"""
    )
    expect(bare.locator("li")).to_have_count(1)
    expect(bare.locator("li")).not_to_have_text("btn-01")
