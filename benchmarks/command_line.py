"""What the benchmarks of a running gateway share: their options, a folder on the disk that is measured, and figures."""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def options(text: str | None, *, quick: str) -> argparse.ArgumentParser:
    """A parser of --quick, --json and --folder.

    Args:
        text: the script's docstring.
        quick: what --quick does.
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="on the disk to measure")
    return parser


@contextmanager
def folder_in(parent: Path) -> Iterator[Path]:
    """A folder below `parent` that is gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99, p99.9 and maximum in milliseconds, and how many there are (one at least)."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 3)

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999), "max_ms": at(1), "count": len(ordered)}


def file_system(folder: Path) -> str:
    """Device and type of the file system that holds `folder`."""
    answer = subprocess.run(["df", "--output=source,fstype", str(folder)], capture_output=True, text=True, check=True)
    return " ".join(answer.stdout.splitlines()[-1].split())
