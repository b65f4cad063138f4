"""The console's files at a server, open in a browser, without a gateway behind them."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CONSOLE = Path(__file__).parents[3] / "gateway" / "console"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(CONSOLE)))
    thread = threading.Thread(target=server.serve_forever, name="console-files")
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or "", args=ARGUMENTS)
        opened = browser.new_context().new_page()
        opened.goto(f"http://127.0.0.1:{server.server_port}/icon.svg")
        yield opened
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bare(page: Page) -> Iterator[Page]:
    """An empty document at the same server, for a view that a test puts in."""
    opened = page.context.new_page()
    opened.route("**/bare", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
    opened.goto(page.url.replace("/icon.svg", "/bare"))
    yield opened
    opened.close()
