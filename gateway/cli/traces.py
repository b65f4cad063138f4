"""What a program wrote: the files that strace saw opened for writing, and what in them could be of a face."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 256 * 1024 * 1024
_CALL = re.compile(r"^(?:\d+\s+)?(openat|open|creat|renameat2?|rename|linkat|link|memfd_create)\((.*)\)\s+= (-?\d+)")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
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
    """

    paths: frozenset[Path]
    in_memory: frozenset[str]


def written_by(log: Iterable[str], folder: Path) -> Written:
    """What a log of ``strace -f -e trace=open,openat,creat,rename,renameat,renameat2,link,linkat,memfd_create`` tells.

    Calls that failed count for nothing. A relative name is taken from `folder`, the program's working directory.

    Args:
        log: its lines.
        folder: absolute.
    """
    paths, memory = set[Path](), set[str]()
    for line in log:
        found = _CALL.match(line)
        if found is None or int(found[3]) < 0:
            continue
        call, names = found[1], [_unquoted(each) for each in _NAME.findall(found[2])]
        if not names:
            continue
        if call == "memfd_create":
            memory.add(names[0])
        elif not call.startswith("open") or any(flag in found[2] for flag in _WRITES):
            paths.add(folder / names[-1])
    return Written(frozenset(paths), frozenset(memory))


def _unquoted(name: str) -> str:
    return (
        name.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1").decode(errors="replace")
    )


def traces_in(path: Path) -> Iterator[Trace]:
    """Pictures, video and matches in one regular file; the first of each kind.

    Args:
        path: a file that is gone, or is none, holds nothing.

    Raises:
        OSError: the file is there and cannot be read.
    """
    if not path.is_file():
        return
    content = _content(path)
    for what, mark in _MARKS.items():
        if found := mark.search(content):
            yield Trace(str(path), what, found.start())


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
