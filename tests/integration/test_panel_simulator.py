"""`simulate panel` before what is no receiver, and with what is no key."""

import socket
import threading
from pathlib import Path

import pytest
from harness.command import command


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\n\r", b'\nFFFF0008"ACK"0001\r', b"x" * 70_000]
)
def test_a_reply_that_is_none_is_said_in_one_line(reply: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _address = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        done = command("simulate", "panel", "null", "--port", str(server.getsockname()[1]))
        thread.join()
    assert (done.returncode, done.stdout, done.stderr) == (1, "no reply\n", "")


@pytest.mark.parametrize("key", ["00112233", "not hex"])
def test_a_key_that_is_none_is_refused_with_its_file(tmp_path: Path, key: str) -> None:
    (tmp_path / "key").write_text(key)
    done = command("simulate", "panel", "press", "--key-file", str(tmp_path / "key"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"panel: {tmp_path / 'key'}: ")
    assert len(done.stderr.splitlines()) == 1
