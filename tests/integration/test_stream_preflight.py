"""The question before FFmpeg's: a camera that drips its answer holds no reader."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.streams import LossReason, StreamSource
from gateway.streams.loss import StreamFaultError
from gateway.streams.preflight import checked

_DROPS = 60
_CHALLENGE = b'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n'


@contextmanager
def _dripping(first: bytes, seconds: float) -> Iterator[int]:
    """A server that answers at once with `first`, and then for some time with a byte every now and then."""
    over = threading.Event()

    def serve() -> None:
        with listening.accept()[0] as peer:
            peer.recv(4096)
            peer.sendall(first)
            for _ in range(_DROPS):
                if over.wait(seconds / _DROPS):
                    return
                try:
                    peer.sendall(b"x")
                except OSError:
                    return
            peer.sendall(b"\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, name="dripping")
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("first", [b"RTSP/1.0 302 Moved\r\nX-Slow: ", _CHALLENGE + b"RTSP/1.0 200 OK\r\nX-Slow: "])
def test_a_camera_that_drips_is_given_up_at_the_deadline(first: bytes) -> None:
    with _dripping(first, seconds=4.0) as port:
        source = StreamSource(
            url=f"rtsp://127.0.0.1:{port}/1", username="gate", password="secret", open_timeout_seconds=0.5
        )
        with pytest.raises(StreamFaultError) as error:
            checked(source)
    assert error.value.reason is LossReason.TIMEOUT


def test_one_that_is_silent_is_ffmpegs_to_tell_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        source = StreamSource(url=f"rtsp://127.0.0.1:{listening.getsockname()[1]}/1", open_timeout_seconds=0.2)
        assert checked(source) == source
