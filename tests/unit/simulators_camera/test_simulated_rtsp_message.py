"""RTSP requests as they come over a connection."""

import asyncio

import pytest

from gateway.simulators.camera.rtsp.message import Reply, Request, read_request


def _reader(content: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(content)
    reader.feed_eof()
    return reader


async def test_a_request_is_read_and_interleaved_reports_before_it_are_skipped() -> None:
    report = b"$\x01\x00\x04abcd"
    reader = _reader(report * 2 + b"\r\nOPTIONS rtsp://h:1/main/ RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 2\r\n\r\nxx")

    request = await read_request(reader)

    assert request is not None
    assert (request.method, request.path, request.headers["cseq"]) == ("OPTIONS", "/main", "3")
    assert await read_request(reader) is None


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"OPTIONS rtsp://h/ RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"OPTIONS rtsp://h/ RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_rtsp_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 any text will do: it is shown to nobody
        await read_request(_reader(content))


async def test_a_request_cut_in_the_middle_ends_the_connection() -> None:
    with pytest.raises(EOFError):
        await read_request(_reader(b"OPTIONS rtsp://h/ RT"))


def test_a_reply_repeats_the_sequence_number() -> None:
    reply = Reply(404).encode(Request("DESCRIBE", "rtsp://h/x", {"cseq": "17"}))

    assert reply == b"RTSP/1.0 404 Not Found\r\nCSeq: 17\r\n\r\n"
