"""A fake camera that answers from the fixtures: what the gateway makes of each maker's replies."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.cameras import Login, OnvifCamera, OnvifLibrary, Timeouts

FIXTURES = Path(__file__).parents[2] / "fixtures" / "onvif"
CAMERAS = sorted(path.parent.name for path in FIXTURES.glob("*/expected.json"))
NOT_SUPPORTED = (
    b'<E:Envelope xmlns:E="http://www.w3.org/2003/05/soap-envelope"><E:Body><E:Fault><E:Code><E:Value>E:Receiver</E:Value>'
    b'<E:Subcode><E:Value xmlns:ter="http://www.onvif.org/ver10/error">ter:ActionNotSupported</E:Value></E:Subcode></E:Code>'
    b"<E:Reason><E:Text>Optional Action Not Implemented</E:Text></E:Reason></E:Fault></E:Body></E:Envelope>"
)


@contextmanager
def _answering_from(folder: Path) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = re.search(rb"Body><(?:\w+:)?(\w+)", body)
            operation = found[1].decode() if found else "nothing"
            file = next(iter(folder.glob(f"{operation}.*xml")), None)
            status = int(file.suffixes[0][1:]) if file and len(file.suffixes) > 1 else 200 if file else 500
            content = file.read_bytes() if file else NOT_SUPPORTED
            self.send_response(status)
            self.send_header("Content-Type", "application/soap+xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def library() -> OnvifLibrary:
    return OnvifLibrary()


@pytest.mark.parametrize("name", CAMERAS)
async def test_the_gateway_makes_of_the_replies_what_is_expected(name: str, library: OnvifLibrary) -> None:
    with _answering_from(FIXTURES / name) as port:
        camera = OnvifCamera(f"onvif://127.0.0.1:{port}", Login("u", "p"), library=library, timeouts=Timeouts(2, 5, 20))
        try:
            said = await camera.probe()
        finally:
            await camera.close()

    expected = json.loads((FIXTURES / name / "expected.json").read_text().replace("{port}", str(port)))
    assert {
        "state": said.state,
        "manufacturer": said.manufacturer,
        "model": said.model,
        "firmware": said.firmware,
        "profiles": [[p.token, p.codec, p.width, p.height, p.frames_per_second] for p in said.profiles],
        "stream": said.stream,
        "sub_stream": said.sub_stream,
        "snapshot": said.snapshot,
    } == expected


def test_no_fixture_holds_an_address_of_the_wide_net() -> None:
    private = re.compile(r"^(127\.|192\.168\.|10\.|0\.0\.0\.0)")
    for file in FIXTURES.glob("*/*.xml"):
        for address in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", file.read_text(errors="replace")):
            assert private.match(address), (file, address)
