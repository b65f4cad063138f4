"""What a process holds in memory, and whether that grows."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

Curve = Sequence[tuple[float, float]]  # seconds, megabytes


def pss_megabytes(pid: int) -> float:
    """Proportional set size: pages of its own, and of what it shares its part (Linux, proc(5), smaps_rollup)."""
    return _megabytes(pid, "Pss:")


def anonymous_megabytes(pid: int) -> float:
    """Memory that belongs to no file, so that nobody else's use of the same libraries changes it: where leaks are."""
    return _megabytes(pid, "Anonymous:")


class Growth:
    """Of this process's own memory since `warm` was said."""

    def __init__(self) -> None:
        self._warm: float | None = None

    def warm(self) -> None:
        """What is needed anyway is there from now on; only the first time counts."""
        self._warm = anonymous_megabytes(os.getpid()) if self._warm is None else self._warm

    def megabytes(self) -> float:
        """How much more there is now."""
        assert self._warm is not None, "nothing was warm"
        return anonymous_megabytes(os.getpid()) - self._warm


def _megabytes(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {name} in smaps_rollup of process {pid}")


def after(curve: Curve, warm_seconds: float) -> Curve:
    """The part of a curve behind its warm-up."""
    return [point for point in curve if point[0] - curve[0][0] >= warm_seconds]


def growth_megabytes(curve: Curve) -> float:
    """The median of the last fifth less that of the first: peaks that come and go do not count."""
    part = max(1, len(curve) // 5)
    return statistics.median(y for _, y in curve[-part:]) - statistics.median(y for _, y in curve[:part])


def slope_megabytes_per_hour(curve: Curve) -> float:
    """The median slope of all pairs (Theil, 1950; Sen, 1968), which single peaks do not bend."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(curve)
        for later in curve[index + 1 :]
        if later[0] > earlier[0]
    ]
    return 3600 * statistics.median(slopes)
