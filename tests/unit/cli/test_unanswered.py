"""Why nobody answered, in words."""

import json

import httpx
import pytest

from gateway.cli.unanswered import unanswered


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "nothing listens there"),
        (httpx.ConnectError("[Errno 111] Connection refused"), "nothing listens there"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), "its certificate is not of this site's authority"),
        (httpx.ConnectError("[Errno 101] Network is unreachable"), "no way to it"),
        (httpx.ReadTimeout("x"), "no answer in time"),
        (TimeoutError(), "no answer in time"),
        (OSError(113, "No route to host"), "No route to host"),
        (httpx.RemoteProtocolError("x"), "the connection broke"),
        (json.JSONDecodeError("x", "x", 0), "what answers is no gateway"),
    ],
)
def test_each_way_of_no_answer_has_words(error: Exception, words: str) -> None:
    assert unanswered(error) == words
