"""Frames of SIA DC-09 against published examples, and whatever else may come."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms.sia.cipher import decrypt, encrypt, key_of
from gateway.alarms.sia.frame import FrameError, FrameReader, crc_of, parse, split_stamp, stamp_of, wrap
from gateway.errors import PermanentError

PLAIN = b'C669003D"ADM-CID"0001R0L0#1234[#1234|1120 01 005]_12:16:34,11-23-2026'
SECRET = (
    b'6EC30078"*ADM-CID"0017R0L0#ABCD[CE5343CF0DDD75A47F4A0C7EA8DB125D'
    b"43EE605DEF8FE6994E3BF0052A3BEC86EC564CF866E0D7A45AAAE17FCC2CB0CD"
)


def test_a_frame_that_another_receiver_has_accepted_is_read() -> None:
    frame = parse(PLAIN)
    assert (frame.token, frame.sequence, frame.receiver, frame.line, frame.account) == (
        "ADM-CID",
        "0001",
        "R0",
        "L0",
        "1234",
    )
    content, stamp = split_stamp(frame.body)
    assert content == b"#1234|1120 01 005]"
    assert stamp is not None
    assert stamp.isoformat() == "2026-11-23T12:16:34+00:00"
    assert stamp_of(stamp) == b"_12:16:34,11-23-2026"


def test_an_encrypted_frame_that_another_receiver_has_accepted_is_read() -> None:
    frame = parse(SECRET)
    assert frame.encrypted
    assert decrypt(b"A" * 16, frame.body) == b"#ABCD|1120 01 005]_12:16:35,11-23-2026"


def test_the_reply_is_the_one_that_another_receiver_gave() -> None:
    assert wrap(b'"ACK"0001R0L0#1234[]') == b'\nDBE70014"ACK"0001R0L0#1234[]\r'
    assert f"{crc_of(b'123456789'):04X}" == "BB3D", "CRC-16/ARC's check value"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"XXXX003D",
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN.replace(b"C669", b"C668"),
        PLAIN.replace(b"1120", b"1121"),
        b"00000000",
    ],
)
def test_a_frame_with_wrong_checksum_length_or_form_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        parse(raw)


@given(st.lists(st.binary(max_size=30).filter(lambda each: not set(each) & {10, 13}), max_size=4), st.randoms())
def test_a_stream_is_cut_into_frames_whatever_pieces_it_comes_in(bodies: list[bytes], random: object) -> None:
    stream = b"".join(b"\n" + each + b"\r" for each in bodies)
    reader, found = FrameReader(), []
    position = 0
    while position < len(stream):
        size = random.randint(1, 7)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
        found += list(reader.feed(stream[position : position + size]))
        position += size
    assert found == bodies


def test_a_stream_without_an_end_is_ended() -> None:
    reader = FrameReader()
    assert [list(reader.feed(b"x" * 100)) for _ in range(40)] == [[]] * 40
    with pytest.raises(FrameError):
        list(reader.feed(b"x" * 100))


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_frame_or_an_error(raw: bytes) -> None:
    for candidate in (raw, b"%04X%04X%b" % (crc_of(raw), len(raw), raw)):
        try:
            split_stamp(parse(candidate).body)
        except FrameError:
            continue


@given(st.binary(max_size=200))
def test_whatever_comes_as_cipher_text_is_read_or_an_error(digits: bytes) -> None:
    with contextlib.suppress(FrameError):
        decrypt(b"A" * 16, digits)


@given(st.sampled_from([16, 24, 32]), st.text("0123456789ABCDEF|", max_size=80))
def test_what_is_encrypted_is_read_again(size: int, text: str) -> None:
    plain = f"#1234|{text}]".encode()
    digits = encrypt(b"k" * size, plain)
    assert len(digits) % 32 == 0
    assert digits == digits.upper()
    assert decrypt(b"k" * size, digits) == plain


def test_a_key_is_taken_in_both_notations() -> None:
    assert key_of("A" * 16) == b"A" * 16
    assert key_of("41" * 16) == b"A" * 16, "32 hex digits are 128 bits"
    assert key_of("ascii:" + "41" * 16) == b"41" * 16, "unless it is said that they are characters"
    assert key_of("hex:" + "41" * 24) == b"A" * 24
    assert key_of("B" * 24) == b"B" * 24
    assert key_of(" " + "0a" * 32 + "\n") == b"\n" * 32


@pytest.mark.parametrize("text", ["", "short", "é" * 16, "hex:" + "A" * 16, "A" * 17, "ascii:abc"])
def test_a_key_of_neither_notation_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(PermanentError) as refused:
        key_of(text)
    assert not text or text not in str(refused.value)
