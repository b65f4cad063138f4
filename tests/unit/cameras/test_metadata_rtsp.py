"""RTSP of the metadata track without a network: messages apart, digests, the track in a description."""

import hashlib
import re

import pytest

from gateway.cameras.metadata.sdp import metadata_tracks
from gateway.cameras.rtsp import message
from gateway.cameras.rtsp.digest import RtspDigest
from gateway.cameras.rtsp.message import MessageReader, NotRtspError, Packet, Reply

SAID = (
    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Digest\r\nContent-Length: 3\r\n\r\nabc"
)
FRAME = b"$\x02\x00\x03xyz"
ASKED = b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_replies_and_packets_are_told_apart_however_they_come(size: int) -> None:
    reader, data = MessageReader(), FRAME + SAID + FRAME + ASKED + b"\r\n" + SAID
    found = [each for start in range(0, len(data), size) for each in reader.feed(data[start : start + size])]

    reply = Reply(200, found[1].headers if isinstance(found[1], Reply) else {}, b"abc")
    assert found == [Packet(2, b"xyz"), reply, Packet(2, b"xyz"), reply]
    assert reply.headers["www-authenticate"] == ("Basic", "Digest")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"RTSP/1.0 two OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n",
        b"R" * 20_000,
        b"RTSP/1.0 200 OK\r\n" + b":\r\n" * 200 + b"\r\n",
        b"\r\n\r\nx\r\n\r\n",
    ],
)
def test_what_is_no_rtsp_is_said(data: bytes) -> None:
    with pytest.raises(NotRtspError):
        list(MessageReader().feed(data))


def test_a_head_is_read_once_however_slowly_its_body_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    headers = message._headers

    def counted(lines: list[str]) -> dict[str, tuple[str, ...]]:
        reads.append(len(lines))
        return headers(lines)

    monkeypatch.setattr(message, "_headers", counted)
    reader = MessageReader()
    found = [each for byte in SAID for each in reader.feed(bytes([byte]))]
    assert [each.body for each in found if isinstance(each, Reply)] == [b"abc"]
    assert len(reads) == 1


def _field(header: str, name: str) -> str:
    match = re.search(rf'\b{name}="?([^",]*)', header)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(("algorithm", "make"), [("MD5", hashlib.md5), ("SHA-256", hashlib.sha256)])
def test_the_digest_is_that_of_the_standard(algorithm: str, make: type) -> None:
    digest = RtspDigest("gate", "p@ss:w/rd#1")
    challenge = f'Digest realm="Cam", nonce="n1", qop="auth", algorithm={algorithm}, opaque="o"'
    assert digest.header("PLAY", "rtsp://x/1") == ""
    assert digest.adopt(["Basic realm=x", challenge])

    header = digest.header("PLAY", "rtsp://x/1")

    def hashed(text: str) -> str:
        return str(make(text.encode()).hexdigest())

    middle = f"n1:{_field(header, 'nc')}:{_field(header, 'cnonce')}:auth"
    expected = hashed(f"{hashed('gate:Cam:p@ss:w/rd#1')}:{middle}:{hashed('PLAY:rtsp://x/1')}")
    assert _field(header, "response") == expected
    assert "p@ss" not in header
    assert _field(digest.header("PLAY", "rtsp://x/1"), "nc") == "00000002"


def test_a_digest_without_quality_is_that_of_the_older_standard() -> None:
    digest = RtspDigest("gate", "x")
    digest.adopt(['Digest realm="Cam", nonce="n1"'])

    def hashed(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    expected = hashed(f"{hashed('gate:Cam:x')}:n1:{hashed('PLAY:u')}")
    assert _field(digest.header("PLAY", "u"), "response") == expected


def test_the_same_challenge_again_and_what_is_no_digest_are_not_answered() -> None:
    digest = RtspDigest("gate", "x")

    assert not digest.adopt(['Basic realm="Cam"', 'Digest realm="x", nonce="1", algorithm=SHA-512-256'])
    assert digest.adopt(['Digest realm="Cam", nonce="n1"'])
    assert not digest.adopt(['Digest realm="Cam", nonce="n1"'])
    assert digest.adopt(['Digest realm="Cam", nonce="n2", stale=true'])


def test_the_plain_track_stands_before_a_compressed_one() -> None:
    tracks = metadata_tracks(
        b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
        b"m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata.exi.onvif/90000\r\na=control:track2\r\n"
        b"m=application 0 RTP/AVP 107\r\na=control:rtsp://10.0.0.1/track3\r\na=rtpmap:107 VND.ONVIF.METADATA/90000\r\n"
    )

    assert [(each.is_plain, each.control) for each in tracks] == [(True, "rtsp://10.0.0.1/track3"), (False, "track2")]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"m=application 0 RTP/AVP 107\r\na=rtpmap:107\r\n", b"m=video"])
def test_no_track_is_none(text: bytes) -> None:
    assert metadata_tracks(text) == []
