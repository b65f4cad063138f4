"""The detector's model: a wrong sum, a cut transfer and no network are said, and leave nothing behind."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.cli.models import YUNET, Model, install_from_file, install_from_url, is_installed
from gateway.errors import PermanentError, TransientError

Answer = Callable[[BaseHTTPRequestHandler], None]
CONTENT = bytes(range(256)) * 100
MODEL = Model(
    name="tiny.onnx", url="http://127.0.0.1:9/none", sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT)
)


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="model-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tiny.onnx"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sending(
    content: bytes, *, claimed: int | None = None, status: int = 200
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if claimed is not None:
            handler.send_header("Content-Length", str(claimed))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def assert_nothing_left(folder: Path) -> None:
    assert not folder.exists() or not list(folder.iterdir())


def test_the_right_file_is_installed_and_found(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    assert not is_installed(MODEL, folder)
    with serving(sending(CONTENT, claimed=len(CONTENT))) as url:
        path = install_from_url(MODEL, folder, url)
    assert path.read_bytes() == CONTENT
    assert is_installed(MODEL, folder)
    assert list(folder.iterdir()) == [path]


def test_a_wrong_sum_is_refused(tmp_path: Path) -> None:
    with serving(sending(CONTENT[::-1])) as url, pytest.raises(PermanentError, match="SHA-256"):
        install_from_url(MODEL, tmp_path / "models", url)
    assert_nothing_left(tmp_path / "models")


@pytest.mark.parametrize("claimed", [len(CONTENT), None])
def test_a_cut_transfer_is_said(tmp_path: Path, claimed: int | None) -> None:
    with serving(sending(CONTENT[:1000], claimed=claimed)) as url, pytest.raises(TransientError, match="cut"):
        install_from_url(MODEL, tmp_path / "models", url)
    assert_nothing_left(tmp_path / "models")


def test_too_much_is_not_read_to_its_end(tmp_path: Path) -> None:
    with serving(sending(CONTENT * 20)) as url, pytest.raises(PermanentError, match="more than"):
        install_from_url(MODEL, tmp_path / "models", url)


@pytest.mark.parametrize(("status", "kind"), [(404, PermanentError), (503, TransientError)])
def test_an_error_of_the_server_is_said(tmp_path: Path, status: int, kind: type[Exception]) -> None:
    with serving(sending(b"", status=status)) as url, pytest.raises(kind, match=f"HTTP {status}"):
        install_from_url(MODEL, tmp_path / "models", url)


def test_no_network_names_the_way_by_hand(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match=r"cannot be reached.*--from FILE"):
        install_from_url(MODEL, tmp_path / "models", "http://127.0.0.1:9/none")


def test_an_address_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no address"):
        install_from_url(MODEL, tmp_path / "models", "nonsense")


def test_a_file_carried_in_is_checked_too(tmp_path: Path) -> None:
    carried = tmp_path / "carried.onnx"
    carried.write_bytes(CONTENT)
    assert install_from_file(MODEL, tmp_path / "models", carried).read_bytes() == CONTENT
    with pytest.raises(PermanentError, match="SHA-256"):
        install_from_file(YUNET, tmp_path / "models", carried)
    with pytest.raises(PermanentError, match="cannot be read"):
        install_from_file(MODEL, tmp_path / "models", tmp_path / "absent")
