"""The console as a guard meets it: in a real browser, both languages, desktop and phone, under a strict CSP."""

import shutil
import time
from collections.abc import Iterator

import pytest
from harness.daemon import ADMIN, PASSWORD, Daemon
from harness.rawmqtt import RawClient
from harness.tools import needs
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [needs("chromium"), pytest.mark.timeout(120)]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or ""
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, daemon: Daemon, complaints: list[str]) -> Iterator[Page]:
    """The administrator sets the gateway up by the one-time link and stands before the board."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    link = next(line.split()[-1] for line in daemon.printed if "#setup=" in line)
    opened.goto(link)
    opened.fill("input[name=username]", ADMIN)
    opened.fill("input[name=password]", PASSWORD)
    opened.click("button[type=submit]")
    expect(opened.locator(".board")).to_be_visible()
    yield opened
    context.close()


def press(daemon: Daemon, kind: str = "press") -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-01/event", f'{{"id": "{time.time_ns()}", "type": "{kind}"}}'.encode())


def test_the_setup_link_works_once(page: Page, daemon: Daemon) -> None:
    assert "#setup" not in page.url
    link = next(line for line in daemon.printed if "#setup=" in line)
    assert "setup=" not in "".join(daemon.log), "the link is in a log"
    assert link.startswith("set-up link")


def test_a_press_shows_sounds_and_is_acknowledged_by_key(page: Page, daemon: Daemon) -> None:
    press(daemon)
    card = page.locator(".card.critical.raised")
    expect(card).to_be_visible(timeout=5000)
    expect(card).to_contain_text("East gate booth")
    expect(card).to_contain_text("一键报警")
    expect(card).not_to_contain_text("false")
    assert "报警" in page.title()
    page.keyboard.press("a")
    expect(page.locator(".card.critical.acknowledged")).to_contain_text(ADMIN)
    page.select_option("select[name=verdict]", "test")
    page.locator("form.inline", has=page.locator("select")).locator("button").click()
    expect(page.locator(".cards .card")).to_have_count(0)


def test_what_the_threshold_costs_stands_by_the_cameras_and_the_list(page: Page) -> None:
    for view in ("protection", "watchlist"):
        page.click(f"button[data-view={view}]")
        expect(page.locator("p.threshold")).to_have_text("名单为空：不会产生人脸预警。", timeout=40_000)
    page.click("button[data-view=board]")


def test_a_silent_press_is_shown_only_where_that_is_safe(page: Page, daemon: Daemon) -> None:
    press(daemon, "silent")
    page.wait_for_timeout(1500)
    expect(page.locator(".cards .card")).to_have_count(0)
    page.click("button[data-view=protection]")
    page.check(".check input")
    page.click("button[data-view=board]")
    expect(page.locator(".cards .card")).to_have_count(1)


def test_the_other_language_and_a_phone(page: Page) -> None:
    page.click("text=English")
    expect(page.locator(".tab", has_text="Watch-list")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the phone"
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.restarts_shared_daemon
def test_a_killed_gateway_is_told_and_the_board_is_right_after_it_is_back(page: Page, daemon: Daemon) -> None:
    daemon.kill()
    expect(page.locator(".shell.stale")).to_be_visible(timeout=15000)
    daemon.start()
    expect(page.locator(".shell:not(.stale)")).to_be_visible(timeout=20000)
    press(daemon)
    expect(page.locator(".card.critical.raised").first).to_be_visible(timeout=5000)


def test_nothing_broke_the_content_security_policy(page: Page, complaints: list[str]) -> None:
    assert page.locator(".board").is_visible()
    network = ("Failed to load resource", "net::ERR")
    assert [each for each in complaints if not each.startswith(network)] == []
