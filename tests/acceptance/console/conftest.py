"""The console in a real browser: the administrator set the gateway up and stands before the board."""

import shutil
from collections.abc import Iterator

import pytest
from harness.daemon import ADMIN, PASSWORD, Daemon
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=20_000)  # a busy machine takes its time for a password's hash
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
