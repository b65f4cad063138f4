"""Measures the vision house: ours, the peer's and the ratio, from one run.

Run:  .venv/bin/python benchmarks/vision.py [loops|capacity|latency|replay|memory|recall|kills] [--quick] [--json]

All parts if none is named, with --quick the first two. Build and settings are printed before each part; it fails if the
code changes meanwhile. One thread a stream, CPU time, medians of interleaved runs. The fixtures hold three identities
only: passages are counts of these, and what three people cannot prove is not proven.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_ONE_THREAD["ORT_DISABLE_TELEMETRY"] = "1"


def on_one_thread() -> None:
    """Start this script anew with one thread for every library: they read the limit when they are loaded."""
    if any(os.environ.get(name) != value for name, value in _ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_ONE_THREAD})  # noqa: S606 - itself


def loops(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 1: CPU per frame, passages and false identities beside the loops of face_recognition's examples."""
    from vision_loops import CASES, QUICK, compare  # noqa: PLC0415

    with _tools() as tools:
        if quick:
            return [compare(tools, case, 1, 60) for case in QUICK]
        return [compare(tools, case, 5, 10_000) for case in CASES]


@contextmanager
def _tools() -> Iterator[Any]:
    """What a child opens for its cameras, on one thread."""
    import cv2  # noqa: PLC0415  # after the limit on threads
    from vision_bench import yunet_file  # noqa: PLC0415

    from gateway.settings import MatchingSettings  # noqa: PLC0415
    from gateway.vision.faces import open_tools  # noqa: PLC0415

    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as graphs:
        yield open_tools(MatchingSettings(detector_model=yunet_file()), Path(graphs), longest_side=640)


def capacity(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 2: cameras of 720p25 at five looks a second, people walking all the time, and still scenes."""
    from vision_bench import built, yunet_file  # noqa: PLC0415
    from vision_capacity import measure  # noqa: PLC0415
    from vision_plots import plot  # noqa: PLC0415

    walking, still = built("gate-1280x720.mp4"), built("empty-1280x720.mp4")
    if quick:
        return [{"scene": walking.stem, **measure(4, walking, 6.0, settle=4.0, model=yunet_file())}]
    rows = [
        {"scene": scene.stem, **measure(count, scene, 25.0, settle=settle, model=yunet_file(), sources=sources)}
        for scene, counts, settle, sources in ((walking, (2, 4, 6, 8, 10, 12), 8.0, 1), (still, (10, 20, 40), 80.0, 8))
        for count in counts
    ]
    plot([row for row in rows if not row["children_replaced"]], ROOT / "benchmarks" / "plots" / "vision-capacity.svg")
    hog = {"scene": f"{walking.stem}, detector HOG", **measure(2, walking, 25.0, settle=8.0, model=None)}
    both = measure(8, walking, 25.0, settle=8.0, model=yunet_file(), sub=built("gate-640x360.mp4"))
    return [*rows, hog, {"scene": f"{walking.stem}, looked at in a sub-stream of 640x360", **both}]


def latency(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 3: from a face's first good look to the event on a signed-in stream client."""
    from vision_bench import yunet_file  # noqa: PLC0415
    from vision_latency import measure  # noqa: PLC0415

    rounds = {"gate-1280x720": 1} if quick else {"gate-640x360": 6, "gate-1280x720": 6}
    return [measure(scene, loops, yunet_file()) for scene, loops in rounds.items()]


def replay(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 3 again without network and clock: which picture decides, whatever the machine has to do besides."""
    from vision_replay import replay as replayed  # noqa: PLC0415

    with _tools() as tools:
        if quick:
            return [replayed(tools, "gate-640x360", range(1))]
        return [replayed(tools, scene) for scene in ("gate-640x360", "gate-1280x720")]


def memory(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 4: MB per child and per camera of 720p25, its packets in memory included (they fill in 100 s)."""
    from vision_bench import built, yunet_file  # noqa: PLC0415
    from vision_memory import measure  # noqa: PLC0415

    counts, settle = ((1, 4), 8.0) if quick else ((1, 2, 4, 8), 110.0)
    return measure(counts, built("gate-1280x720.mp4"), settle, yunet_file())


def recall(*, quick: bool) -> list[dict[str, Any]]:
    """Figure 5: recall and false identities by face height and condition, in fp32 and int8."""
    import cv2  # noqa: PLC0415  # after the limit on threads
    from vision_bench import yunet_file  # noqa: PLC0415
    from vision_recall import measure  # noqa: PLC0415

    cv2.setNumThreads(1)
    return measure(yunet_file(), quick=quick)


def kills(*, quick: bool) -> dict[str, Any]:
    """Figure 6: SIGKILL of a child in mid-clip: clips that play to their last packet."""
    from vision_bench import built  # noqa: PLC0415
    from vision_kills import measure  # noqa: PLC0415

    return measure(2 if quick else 10, built("gate-1280x720.mp4"))


PARTS: dict[str, Callable[..., Any]] = {
    "loops": loops,
    "capacity": capacity,
    "latency": latency,
    "replay": replay,
    "memory": memory,
    "recall": recall,
    "kills": kills,
}


QUICK = ("loops", "capacity")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--quick", action="store_true", help="a part of the scenes, one round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    on_one_thread()
    from vision_settings import build, settings  # noqa: PLC0415  # after the limit on threads

    measured = {"build": build(), **settings()}
    for name in arguments.part or (QUICK if arguments.quick else PARTS):
        result = PARTS[name](quick=arguments.quick)
        if build() != measured["build"]:
            raise SystemExit(f"{name}: the code changed while it was measured; measure again")
        if arguments.json:
            print(json.dumps({name: result, "measured": measured}))
            continue
        print(f"== {name}\n" + "\n".join(f"{key:28} {value}" for key, value in measured.items()), end="\n\n")
        for row in result if isinstance(result, list) else [result]:
            print("\n".join(f"{key:28} {value}" for key, value in row.items()), end="\n\n")


if __name__ == "__main__":
    main()
