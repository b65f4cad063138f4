"""Pictures out of the packets of a replay: both codecs, their ways of packing, times, losses, nonsense."""

import random
import struct

import pytest

from gateway.cameras.replay import PictureAssembler, ReplayedPicture, VideoTrack, video_track

START = b"\0\0\0\1"
SPS, PPS, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x65" + b"i" * 40, b"\x41" + b"s" * 40
NTP = 2_208_988_800


def rtp(
    number: int, payload: bytes, *, stamp: int = 0, marker: bool = True, at: float | None = None, flags: int = 0
) -> bytes:
    head = struct.pack("!BBHII", 0x80 | (0x10 if at is not None else 0), 96 | marker << 7, number & 0xFFFF, stamp, 7)
    if at is not None:
        whole = int(at)
        ntp = (whole + NTP) % 2**32
        head += struct.pack("!HHIIBBH", 0xABAC, 3, ntp, int((at - whole) * 2**32), flags, 0, 0)
    return head + payload


def pictures(*packets: bytes, codec: str = "h264") -> list[ReplayedPicture]:
    assembler = PictureAssembler(codec, 90_000)
    return [each for packet in packets for each in assembler.take(packet)]


def aggregated(head: bytes, *units: bytes) -> bytes:
    return head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def test_units_alone_together_and_in_fragments_make_the_same_picture() -> None:
    alone = pictures(
        rtp(1, SPS, marker=False, at=100.5, flags=0x80), rtp(2, PPS, marker=False), rtp(3, IDR, marker=True)
    )
    together = pictures(rtp(1, aggregated(b"\x78", SPS, PPS, IDR), at=100.5, flags=0x80))
    parts = (bytes((0x7C, 0x85)) + IDR[1:20], bytes((0x7C, 0x05)) + IDR[20:30], bytes((0x7C, 0x45)) + IDR[30:])
    fragments = pictures(
        rtp(1, aggregated(b"\x78", SPS, PPS), marker=False, at=100.5, flags=0x80),
        rtp(2, parts[0], marker=False),
        rtp(3, parts[1], marker=False),
        rtp(4, parts[2]),
    )
    wanted = ReplayedPicture(START + SPS + START + PPS + START + IDR, 100.5, keyframe=True, last=False)
    assert alone == together == fragments == [wanted]


def test_h265_is_put_together_likewise() -> None:
    vps, sps, idr = b"\x40\x01v", b"\x42\x01s", b"\x26\x01" + b"i" * 40  # IDR_W_RADL is 19
    fragments = (b"\x62\x01\x93" + idr[2:20], b"\x62\x01\x53" + idr[20:])
    found = pictures(
        rtp(1, aggregated(b"\x60\x01", vps, sps), marker=False, at=5.0),
        rtp(2, fragments[0], marker=False),
        rtp(3, fragments[1]),
        rtp(4, b"\x02\x01" + b"p" * 9, stamp=3600, at=5.5),
        codec="hevc",
    )
    assert found[0].data == START + vps + START + sps + START + idr
    assert [(each.at, each.keyframe) for each in found] == [(5.0, True), (5.5, False)]


def test_a_picture_without_marker_ends_with_the_next_time() -> None:
    found = pictures(
        rtp(1, IDR, marker=False, at=1.0),
        rtp(2, SLICE, stamp=3600, marker=False, at=1.25),
        rtp(3, SLICE, stamp=7200, marker=False, at=1.5, flags=0x10),
        rtp(4, SLICE, stamp=7200, marker=True),
    )
    assert [(each.at, each.last) for each in found] == [(1.0, False), (1.25, False), (1.5, True)]
    assert found[-1].data == (START + SLICE) * 2


def test_behind_a_lost_packet_it_goes_on_at_the_next_keyframe() -> None:
    found = pictures(
        rtp(0xFFFE, SLICE, at=0.0),
        rtp(0xFFFF, IDR, at=1.0),
        rtp(0, SLICE, stamp=1, at=2.0),
        rtp(1, SLICE, stamp=2, marker=False, at=3.0),
        rtp(3, SLICE, stamp=2, at=3.0),
        rtp(4, SLICE, stamp=3, at=4.0),
        rtp(5, IDR, stamp=4, at=5.0),
    )
    assert [each.at for each in found] == [1.0, 2.0, 5.0]


def test_where_only_some_tell_their_time_the_rtp_clock_tells_the_others() -> None:
    found = pictures(
        rtp(1, IDR, stamp=2**32 - 3600, at=100.0), rtp(2, SLICE, stamp=0), rtp(3, SLICE, stamp=90_000 - 3600)
    )
    assert [each.at for each in found] == [100.0, pytest.approx(100.04), pytest.approx(101.0)]
    assert pictures(rtp(1, IDR))[0].at is None


def test_the_time_goes_on_when_ntp_begins_anew_in_2036() -> None:
    assert pictures(rtp(1, IDR, at=2_085_978_500.0))[0].at == 2_085_978_500.0


def test_an_intra_refresh_begins_where_the_camera_says_that_it_is_clean() -> None:
    found = pictures(rtp(1, aggregated(b"\x78", SPS, PPS, SLICE), at=1.0, flags=0x80))
    assert found[0].keyframe
    assert not pictures(rtp(1, aggregated(b"\x78", SPS, PPS, SLICE), at=1.0))


def test_a_picture_without_end_is_dropped() -> None:
    assembler = PictureAssembler("h264", 90_000)
    for number in range(300):
        assert not list(assembler.take(rtp(number, b"\x65" + b"x" * 60_000, marker=False)))
    assert assembler._size < 9 << 20


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_whatever_comes_is_a_picture_or_nothing(codec: str) -> None:
    random.seed(4)
    assembler = PictureAssembler(codec, 90_000)
    for number in range(20_000):
        packet = rtp(number, random.randbytes(random.randrange(0, 40)), at=random.random() if number % 3 else None)
        spoilt = bytearray(packet)
        spoilt[random.randrange(len(spoilt))] = random.randrange(256)
        for picture in assembler.take(bytes(spoilt[: random.randrange(len(spoilt) + 1)])):
            assert picture.data.startswith(START)


def test_the_track_of_pictures_is_found() -> None:
    described = (
        b"v=0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\nm=video 0 RTP/AVP 96\r\n"
        b"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z3Nwcw==,aHBwcw==\r\n"
        b"a=control:trackID=4\r\nm=application 0 RTP/AVP 107\r\na=control:m\r\n"
    )
    assert video_track(described) == VideoTrack("h264", 90_000, "trackID=4", START + SPS + START + PPS)
    h265 = b"m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=fmtp:98 sprop-vps=QAF2; sprop-sps=QgFz\r\n"
    assert video_track(h265) == VideoTrack("hevc", 90_000, "", START + b"\x40\x01v" + START + b"\x42\x01s")
    jpeg = b"m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/x\r\na=fmtp:26 sprop-parameter-sets=A\r\n"
    assert video_track(jpeg) == VideoTrack("jpeg", 90_000, "")
    assert video_track(b"m=audio 0 RTP/AVP 0\r\n") is None
