"""What a gateway may write while strangers pass: a file of any other kind is a finding, whatever it holds."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.cli.traces import Trace

# Below the folder of the trial.
_OWN = re.compile(
    r"gateway\.toml|gateway\.log|state\.key|\.state\.key-\w+"
    r"|state/(?:(?:journal|state)\.db(?:-wal|-shm|-journal)?|state\.lock|reserve|running|setup-link)"
)
_GRAPH = re.compile(r"[0-9a-f]{64}-v[\w-]+\.onnx|\.graph-\w+")
_SYSTEM = re.compile(r"/dev/(?:null|tty)|/proc/(?:self|\d+)/oom_score_adj")
_IN_MEMORY = frozenset({"watch-list"})
_CLIP = b"CGC"
_CHUNK = 1 << 20


def misplaced(paths: Iterable[Path], home: Path, models: Path) -> Iterator[Trace]:
    """The files that have no business there, and evidence above all: nobody can see what is sealed in it.

    A reserve that is not empty is one, too.

    Args:
        paths: that were written, there still or not.
        home: the folder of the trial; the state is in its ``state``.
        models: where graphs are built.
    """
    for path in sorted(paths):
        if what := _kind_of(path, home, models):
            yield Trace(str(path), what, 0)


def misplaced_in_memory(names: Iterable[str]) -> Iterator[Trace]:
    """The files in memory that have no business there, by name."""
    for name in sorted(set(names) - _IN_MEMORY):
        yield Trace(f"memfd:{name}", "a file in memory of an unknown kind", 0)


def _kind_of(path: Path, home: Path, models: Path) -> str:
    """What is wrong with a file of this name; empty if nothing is."""
    if path.is_relative_to(home / "state" / "evidence"):
        return _evidence(path)
    if (path.parent == models and _GRAPH.fullmatch(path.name)) or _SYSTEM.fullmatch(str(path)):
        return ""
    own = path.relative_to(home).as_posix() if path.is_relative_to(home) else ""
    if not _OWN.fullmatch(own):
        return "a file of an unknown kind"
    return "a reserve that holds something" if own == "state/reserve" and not _is_empty(path) else ""


def _evidence(path: Path) -> str:
    if not path.is_file():
        return "evidence, gone again"
    with path.open("rb") as file:
        return "a sealed clip" if file.read(len(_CLIP)) == _CLIP else "a sealed picture"


def _is_empty(path: Path) -> bool:
    """Whether it is gone or holds nothing but zeros."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return not any(any(chunk) for chunk in iter(lambda: file.read(_CHUNK), b""))
