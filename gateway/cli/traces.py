"""What a program wrote: the files that strace saw opened for writing, and what in them could be of a face."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Not every machine has all of these calls: strace is to pass over the others.
CALLS = "?open,?openat,?openat2,?creat,?rename,?renameat,?renameat2,?link,?linkat,?memfd_create"
_MOST_BYTES = 256 * 1024 * 1024
_CALL = re.compile(r"^(?:\d+\s+)?(openat2?|open|creat|renameat2?|rename|linkat|link|memfd_create)\((.*)\)\s+= (-?\d+)")
_CUT = re.compile(r"^(\d+)\s+(.*?)\s*<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$")
_NAME = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"((?:[^"\\]|\\.)*)"')
_PROCESSES = Path("/proc")
_WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE")
# Each is of six bytes or more: shorter ones stand in sealed data by chance.
_MARKS = {
    "a JPEG picture": re.compile(
        rb"\xff\xd8\xff(?:\xdb\x00[\x43\x84]|[\xe0-\xef]..(?:JFIF\x00|JFXX\x00|Exif\x00|http:|ICC_P|Adobe|Photo))",
        re.DOTALL,
    ),
    "a PNG picture": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "a WebP picture": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "MP4 video": re.compile(rb"ftyp(?:iso|mp4|avc|dash|msdh)|moof.{4}mfhd", re.DOTALL),
    "H.264 video": re.compile(
        rb"\x00\x00\x01[\x67\x27][\x42\x4d\x58\x64\x6e\x7a\xf4].{3,200}?\x00\x00\x01[\x68\x28]", re.DOTALL
    ),
    "a JPEG picture in text": re.compile(rb"/9j/4AAQSkZJRg|/9j/4[Q-Za-f]..RXhpZg|(?i:ffd8ffe0....4a464946)", re.DOTALL),
    "a PNG picture in text": re.compile(rb"iVBORw0KGgo|(?i:89504e470d0a1a0a)"),
    "a match": re.compile(rb"campus\.face\.matched"),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that should not be there.

    Attributes:
        path: of the file.
        what: in words.
        offset: of its first byte.
    """

    path: str
    what: str
    offset: int


@dataclass(frozen=True, slots=True)
class Written:
    """Names that were opened for writing, given to a file, or made in memory.

    Attributes:
        paths: on a disk, absolute.
        in_memory: names of memfd; they are gone with their processes.
        by_others: whether the paths may be of other programs, too.
    """

    paths: frozenset[Path]
    in_memory: frozenset[str]
    by_others: bool = False


def written_by(log: Iterable[str], folder: Path) -> Written:
    """What a log of ``strace -f -y -e trace=CALLS`` tells.

    Calls that failed count for nothing. A relative name is taken from the folder that strace names before it, else from
    `folder`, the program's working directory.

    Args:
        log: its lines.
        folder: absolute.
    """
    paths, memory = set[Path](), set[str]()
    for line in _whole(log):
        found = _CALL.match(line)
        if found is None or int(found[3]) < 0:
            continue
        call, names = found[1], _NAME.findall(found[2])
        if not names:
            continue
        place, name = map(_unquoted, names[-1])
        if call == "memfd_create":
            memory.add(name)
        elif not call.startswith("open") or any(flag in found[2] for flag in _WRITES):
            paths.add(Path(os.path.normpath(folder / place / name)))
    return Written(frozenset(paths), frozenset(memory))


def _whole(log: Iterable[str]) -> Iterator[str]:
    """The lines with each call in one: strace cuts one in two when another thread's comes in between."""
    begun: dict[str, str] = {}
    for line in log:
        if cut := _CUT.match(line):
            begun[cut[1]] = cut[2]
        elif resumed := _RESUMED.match(line):
            yield f"{resumed[1]} {begun.pop(resumed[1], '')}{resumed[2]}"
        else:
            yield line


def _unquoted(name: str) -> str:
    return (
        name.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1").decode(errors="replace")
    )


def traces_in(path: Path, name: str = "") -> Iterator[Trace]:
    """Pictures, video and matches in one regular file; the first of each kind.

    Args:
        path: a file that is gone, or is none, holds nothing.
        name: by which it is told; its path if that is empty.

    Raises:
        OSError: the file is there and cannot be read.
    """
    if not path.is_file():
        return
    content = _content(path)
    for what, mark in _MARKS.items():
        if found := mark.search(content):
            yield Trace(name or str(path), what, found.start())


def traces_in_memory(folder: Path) -> Iterator[Trace]:
    """What processes that run in a folder hold open without a name on a disk: files in memory, and removed ones.

    Processes that this user may not look into hold nothing.
    """
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if Path(os.readlink(process / "cwd")) == folder:
                for descriptor in (process / "fd").iterdir():
                    yield from _traces_held(descriptor)


def _traces_held(descriptor: Path) -> Iterator[Trace]:
    with suppress(OSError):
        name = os.readlink(descriptor)
        if name.startswith("/memfd:") or name.endswith(" (deleted)"):
            yield from traces_in(descriptor, name)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def changed_since(folders: Iterable[Path], moment: float, *, most: int = 200_000) -> Iterator[Path]:
    """Regular files below the folders that were changed at or after a moment; links are not followed.

    Args:
        folders: that the user can write to.
        moment: seconds since the epoch.
        most: so many files are looked at.
    """
    left = most
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                left -= 1
                if left < 0:
                    return
                path = Path(place, name)
                try:
                    status = path.lstat()
                except OSError:
                    continue
                if status.st_mtime >= moment or status.st_ctime >= moment:
                    yield path
