"""The sealed file of a clip: any part of it can be read, its end may be missing, nothing else may be amiss."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PermanentError
from gateway.sealing import OVERHEAD_BYTES, SealError, new_key
from gateway.storage.clip_file import RECORD_BYTES, GrowingFile, SealedFile

KEY = bytes(range(32))
PARTS = (b"ftyp" + bytes(range(256)) * 700, b"moof" * 30, os.urandom(RECORD_BYTES), os.urandom(3 * RECORD_BYTES + 17))
PLAIN = b"".join(PARTS)


def write(path: Path, parts: tuple[bytes, ...] = PARTS, evidence: str = "e-1") -> Path:
    file = GrowingFile(path, KEY, evidence)
    for number, part in enumerate(parts, start=1):
        file.append(part, number * 1.5)
    file.sync()
    file.close()
    file.close()
    return path


def read(path: Path, start: int = 0, length: int = 1 << 30, key: bytes = KEY, evidence: str = "e-1") -> bytes:
    with SealedFile(path, evidence) as file:
        return file.read(key, start, length)


def records(path: Path) -> list[bytes]:
    """The records as they lie in the file."""
    content, found = path.read_bytes()[4:], []
    while content:
        size = 8 + (struct.unpack(">I", content[:4])[0] & 0x7FFFFFFF)
        found.append(content[:size])
        content = content[size:]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clip") / "e-1")


@settings(max_examples=150, deadline=None)
@given(start=st.integers(0, len(PLAIN) + 10), length=st.integers(0, len(PLAIN) + 10))
def test_any_part_is_what_was_written_there(whole: Path, start: int, length: int) -> None:
    assert read(whole, start, length) == PLAIN[start : start + length]


def test_it_tells_size_and_seconds_and_is_for_its_owner_alone(whole: Path) -> None:
    with SealedFile(whole, "e-1") as file:
        assert (file.size, file.seconds) == (len(PLAIN), 6.0)
    assert whole.stat().st_mode & 0o777 == 0o600


def test_nothing_lies_in_the_clear(whole: Path) -> None:
    content = whole.read_bytes()
    assert b"ftyp" not in content
    assert b"moof" not in content
    assert not any(PLAIN[begin : begin + 16] in content for begin in range(0, len(PLAIN), 997))


def test_a_file_that_grows_can_be_read_up_to_its_last_whole_part(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "e-1", KEY, "e-1")
    assert read(tmp_path / "e-1") == b""
    file.append(PARTS[0], 1.0)
    assert read(tmp_path / "e-1") == PARTS[0]
    file.append(PARTS[1], 2.0)
    assert read(tmp_path / "e-1", len(PARTS[0])) == PARTS[1]
    file.close()


def test_wherever_the_end_is_torn_off_whole_parts_stay(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    ends = [len(b"".join(PARTS[:count])) for count in range(len(PARTS) + 1)]
    for size in [4, 5, 11, 12, *range(13, len(content), 4999), len(content) - 1]:
        torn = tmp_path / "e-1"
        torn.write_bytes(content[:size])
        found = read(torn)
        assert len(found) in ends[:-1]
        assert PLAIN.startswith(found)


CHANGES = {
    "changed": lambda found: [found[0], found[1][:50] + bytes([found[1][50] ^ 1]) + found[1][51:], *found[2:]],
    "exchanged": lambda found: [found[0], found[2], found[1], *found[3:]],
    "left out": lambda found: [found[0], *found[2:]],
    "repeated": lambda found: [found[0], found[0], *found[1:]],
    "told to last longer": lambda found: [found[0], found[1][:7] + b"\xff" + found[1][8:], *found[2:]],
    "told to be an end": lambda found: [bytes([found[0][0] | 0x80]) + found[0][1:], *found[1:]],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_record_that_is_not_what_or_where_it_was_is_an_error(whole: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "e-1"
    path.write_bytes(whole.read_bytes()[:4] + b"".join(CHANGES[what](records(whole))))
    with pytest.raises(SealError, match="e-1, record"):
        read(path)


def test_another_key_another_id_and_no_clip_are_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(SealError):
        read(whole, key=new_key())
    with pytest.raises(SealError):
        read(whole, evidence="e-2")
    (tmp_path / "e-3").write_bytes(b"\xff\xd8\xff and more")
    with pytest.raises(PermanentError, match="no clip of this version"):
        read(tmp_path / "e-3", evidence="e-3")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "e-4")
    with pytest.raises(FileExistsError):
        GrowingFile(whole, KEY, "e-1")


def test_a_part_is_read_without_opening_the_rest(whole: Path, tmp_path: Path) -> None:
    found = records(whole)
    path = tmp_path / "e-1"
    path.write_bytes(
        whole.read_bytes()[:4] + found[0] + b"".join(each[:8] + bytes(len(each) - 8) for each in found[1:])
    )
    assert read(path, 100, 1000) == PLAIN[100:1100]
    with pytest.raises(SealError):
        read(path, RECORD_BYTES, 1)
    assert len(found[0]) == 8 + OVERHEAD_BYTES + RECORD_BYTES
