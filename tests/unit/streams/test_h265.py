"""H.265: no picture is shown that refers to what was not decoded, and clips play wherever H.265 does."""

import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures_packets import bar, packets_of, pictures_in
from fixtures_recordings import write_recording

from gateway.errors import PermanentError
from gateway.streams import LatchSwitch, PacketRing, RingPacket, Sparing, StreamFormat
from gateway.streams.beginning import Beginning
from gateway.streams.codecs import as_hvc1, codecs_of
from gateway.streams.fragments import FragmentWriter
from gateway.streams.latch import Latch
from gateway.streams.nal import parameter_sets_in, units_of, with_parameter_sets
from gateway.streams.saver import Decoded, PacketPicker, Saver
from gateway.streams.session import Session
from gateway.streams.sparing import RestSwitch

GROUP = 27
RASL = {8, 9}
SETS = {32, 33, 34}


@pytest.fixture(scope="module")
def open_groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.265 whose keyframes are CRA pictures with leading ones behind them, as x265 makes it unless told otherwise."""
    path = tmp_path_factory.mktemp("h265") / "open.mp4"
    return write_recording(path, frames=6 * GROUP, group=GROUP, b_frames=3, codec="hevc", open_groups=True)


@pytest.fixture(scope="module")
def packets(open_groups: Path) -> tuple[StreamFormat, list[RingPacket]]:
    return packets_of(open_groups)


def kinds_of(data: bytes) -> list[int]:
    return [unit[0] >> 1 & 0x3F for unit in units_of(data)]


def truth_of(recording: Path) -> dict[float, np.ndarray]:
    with av.open(str(recording)) as container:
        return {float(each.time or 0): each.to_ndarray(format="gray").astype(int) for each in container.decode(video=0)}


def test_the_recording_is_what_it_is_here_for(packets: tuple[StreamFormat, list[RingPacket]]) -> None:
    _, all_packets = packets
    keyframes = [number for number, packet in enumerate(all_packets) if packet.keyframe]
    assert len(keyframes) == 6
    assert 21 in kinds_of(all_packets[keyframes[1]].data), "CRA_NUT"
    assert RASL & set(kinds_of(all_packets[keyframes[1] + 1].data))


def session_pictures(
    recording: Path, pick: Callable[..., PacketPicker], step: Callable[[int], None]
) -> tuple[list[Decoded], int]:
    """What a session hands over with this picker; `step` is called before each packet with its number."""
    ticks = iter(range(100_000))
    number = -1

    def now() -> float:
        nonlocal number
        number += 1
        step(number)
        return next(ticks) / 25

    with av.open(str(recording)) as container:
        session = Session(container, None, now, lambda: None, pick)
        found = list(session.pictures())
    return [each for each in found if each.picture is not None], len(found)


def worst(found: list[Decoded], truth: dict[float, np.ndarray]) -> int:
    """The largest difference of any pixel of any picture from what it is when everything is decoded."""
    pictures = [each.picture for each in found if each.picture is not None]
    return max(
        int(np.abs(picture.to_ndarray(format="gray").astype(int) - truth[float(picture.time or 0)]).max())
        for picture in pictures
    )


@pytest.mark.parametrize("opens", [79, 80, 81, 90, 105])
def test_a_latch_that_opens_shows_nothing_of_before(open_groups: Path, opens: int) -> None:
    switch = LatchSwitch()

    def step(number: int) -> None:
        switch.want(pictures=number < 40 or number >= opens)

    found, _ = session_pictures(open_groups, partial(Latch, switch), step)

    assert len(found) > 60
    assert worst(found, truth_of(open_groups)) == 0
    behind = [each.arrived - float(each.picture.time or 0) for each in found if each.picture is not None]
    assert max(behind) * 25 <= 6, "what waits for its turn in the decoder is as late, and no more"


def test_a_stream_that_rests_shows_no_picture_that_it_cannot_decode(open_groups: Path) -> None:
    switch = RestSwitch()
    sparing = Sparing(lambda _frame: False, shortest_seconds=0.5)

    def step(number: int) -> None:
        switch.ask(rest=number > 2 * GROUP)

    found, packets_taken = session_pictures(open_groups, partial(Saver, sparing, switch), step)

    assert 70 < len(found) < packets_taken - 20, "some of it was left out"
    assert worst(found, truth_of(open_groups)) == 0


def test_a_stream_that_wakes_at_a_keyframe_shows_what_was_left_out_as_it_was(open_groups: Path) -> None:
    switch, at = RestSwitch(), 0

    def moved(_frame: object) -> bool:
        return 4 * GROUP - 5 < at < 5 * GROUP - 5

    def step(number: int) -> None:
        nonlocal at
        at = number
        switch.ask(rest=number > 2 * GROUP)

    found, _ = session_pictures(open_groups, partial(Saver, Sparing(moved, shortest_seconds=0.5), switch), step)

    assert [each for each in found if each.backlog]
    assert worst(found, truth_of(open_groups)) == 0


def clip_of(stream_format: StreamFormat, packets: list[RingPacket]) -> tuple[bytes, FragmentWriter]:
    writer = FragmentWriter(stream_format)
    writer.add(packets)
    return writer.cut(last=True), writer


@pytest.mark.parametrize("first", [0, GROUP, 3 * GROUP])
def test_a_clip_begins_at_any_keyframe_without_what_refers_to_before_it(
    packets: tuple[StreamFormat, list[RingPacket]], first: int
) -> None:
    stream_format, all_packets = packets
    begin = [number for number, packet in enumerate(all_packets) if packet.keyframe][first // GROUP]
    mp4, writer = clip_of(stream_format, all_packets[begin:])

    with av.open(io.BytesIO(mp4), "r") as container:
        samples = [packet for packet in container.demux(video=0) if packet.size]
    pictures = pictures_in(mp4)

    assert len(pictures) == len(samples), "each sample is a picture"
    shown = [bar(picture) for picture in pictures]
    assert shown == list(range(shown[0], 6 * GROUP))
    assert first <= shown[0] <= first + 3
    assert writer.codecs.startswith("hvc1.1.6.L")


def test_the_header_has_the_parameter_sets_and_the_pictures_have_none(
    packets: tuple[StreamFormat, list[RingPacket]],
) -> None:
    stream_format, all_packets = packets
    mp4, _ = clip_of(stream_format, all_packets)
    begin = mp4.index(b"hvcC") + 4
    record = mp4[begin:]

    assert mp4.index(b"hvc1") < begin
    assert b"hev1" not in mp4[:begin]
    assert record[22] == 3
    assert record[23] == 0x80 | 32, "the array of the VPS is complete"
    own = parameter_sets_in(all_packets[0].data, "hevc")
    assert len(own) == 3
    assert all(mp4.count(each) == 1 for each in own)


def test_parameter_sets_that_the_header_lacks_stay_in_the_picture(
    packets: tuple[StreamFormat, list[RingPacket]],
) -> None:
    stream_format, all_packets = packets
    other = b"\x44\x01\xc1\x72\xb4\x62\x77"
    changed = replace(all_packets[30], data=b"\0\0\0\1" + other + all_packets[30].data)

    mp4, _ = clip_of(stream_format, [*all_packets[:30], changed, *all_packets[31:]])

    assert mp4.count(len(other).to_bytes(4, "big") + other) == 1


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_clip_of_a_stream_that_told_no_size_has_that_of_its_pictures(tmp_path: Path, codec: str) -> None:
    stream_format, found = packets_of(write_recording(tmp_path / "r.mp4", frames=12, codec=codec))
    first = replace(found[0], data=with_parameter_sets(found[0].data, codec, stream_format.parameter_sets))
    late = replace(stream_format, width=0, height=0, parameter_sets=b"")

    mp4, _ = clip_of(late, [first, *found[1:]])

    with av.open(io.BytesIO(mp4), "r") as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (192, 108)
    assert len(pictures_in(mp4)) == 12


def test_a_clip_whose_size_nobody_can_tell_is_refused() -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        clip_of(StreamFormat("hevc", 0, 0, Fraction(1, 90000)), [RingPacket(b"\0\0\1\x26\x01rubbish", 0, True, 0.0)])


def test_the_ring_begins_each_session_at_a_keyframe(packets: tuple[StreamFormat, list[RingPacket]]) -> None:
    stream_format, all_packets = packets
    ring = PacketRing(seconds=100)
    ring.begin(stream_format)
    for packet in all_packets[:60]:
        ring.add(packet)
    ring.begin(stream_format)
    for packet in all_packets[60:120]:
        ring.add(replace(packet, received=packet.received + 5))

    kept = [packet for group in ring._groups for packet in group]
    second = [packet for packet in kept if packet.received > 5 + 60 / 25 - 0.01]

    assert second[0].keyframe
    assert not RASL & {kind for packet in second[:6] for kind in kinds_of(packet.data)}
    assert len(pictures_in(ring.clip(100).mp4)) == len(kept)


@pytest.mark.parametrize(
    ("stream", "taken"),
    [
        ("p k p p k p", "kppkp"),
        ("k r r p k r p", "kpkrp"),
        ("k k r p k r", "kkpkr"),
        ("r p", ""),
    ],
)
def test_what_can_be_decoded_from_a_beginning_on(stream: str, taken: str) -> None:
    data = {"k": b"\0\0\1\x2a\x01\xaf", "r": b"\0\0\1\x12\x01\xaf", "p": b"\0\0\1\x02\x01\xaf"}
    beginning = Beginning("hevc")
    assert "".join(each for each in stream.split() if beginning.takes(data[each], keyframe=each == "k")) == taken


@pytest.mark.parametrize(
    ("header", "codecs"),
    [
        (b"....avcC\x01\x64\x00\x1f\xff", "avc1.64001F"),
        # The examples of ISO/IEC 14496-15 annex E.3: Main with level 3.1, and Main 10 in another profile space.
        (b"hvcC\x01\x01" + bytes.fromhex("60000000") + bytes.fromhex("b00000000000") + b"\x5d", "hvc1.1.6.L93.B0"),
        (b"hvcC\x01\x64" + bytes.fromhex("20000000") + bytes.fromhex("000000000000") + b"\x78", "hvc1.A4.4.H120"),
        (b"hvcC\x01", ""),
        (b"vpcC", ""),
    ],
)
def test_codecs_are_named_as_browsers_ask_for_them(header: bytes, codecs: str) -> None:
    assert codecs_of(header) == codecs


@pytest.mark.parametrize("cut", [b"hev1hvcC", b"hev1hvcC" + bytes(22), b"hev1hvcC" + bytes(22) + b"\x03"])
def test_a_header_without_parameter_sets_is_said_to_be_one(cut: bytes) -> None:
    with pytest.raises(PermanentError, match="no parameter sets"):
        as_hvc1(cut)


def test_a_header_of_another_codec_stays_as_it_is() -> None:
    assert as_hvc1(b"ftypavc1avcC") == b"ftypavc1avcC"
