"""The gallery against FAISS and others, over synthetic galleries with the statistics of real dlib vectors.

Run:  .venv/bin/python benchmarks/matching.py [--sizes 1000 10000 100000 1000000 5000000] [--parts …] [--quick] [--json]
          [--plots FOLDER]

Rivals are not dependencies: pip install faiss-cpu usearch simsimd numkong hnswlib into .venv first; missing ones are
named. Rivals and ours are asked in turns, the same probes; times are CPU milliseconds a probe, medians of the turns,
one thread where nothing else is said. FAISS flat answers the ten nearest; "tuned" has its BLAS switch on for batches.
Ours answers *all* templates within the threshold (`all`), or the ten nearest people (`people`).

Allow an hour and 14 GB of memory for all of it; hnswlib needs eight minutes to index a million templates.
`--sizes 1000 10000 100000 1000000` leaves out what takes the memory.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy: it reads them once

import numpy as np  # noqa: E402  # see the line above

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from dlib_like import Scene, make  # noqa: E402  # the folders are found through the lines above
from matching_audits import audits  # noqa: E402  # likewise
from matching_live import children, live  # noqa: E402  # likewise
from matching_plots import plot  # noqa: E402  # likewise
from matching_rivals import hnsw, missing, rivals  # noqa: E402  # likewise

from gateway.matching import CompactGallery, Gallery, TemplateTable, cosine_distance_limit  # noqa: E402  # likewise

BATCHES, THRESHOLDS = (1, 8, 64), (0.60, 0.55, 0.50, 0.45, 0.40)
PARTS = ("exactness", "rivals", "bandwidth", "approximate", "growth", "live", "children", "memory", "512")
_ROUND_SECONDS, _LEAST_PROBES = 0.25, 64
_AUDITS = {1_000: 3_400, 10_000: 3_400, 100_000: 3_400, 1_000_000: 60, 5_000_000: 10}
_LEAST, _MOST = 10_000, 1_000_000  # of parts that mean nothing for fewer, or take too long for more
Row = dict[str, Any]


def gallery_of(scene: Scene) -> Gallery:
    """The scene's templates as a gallery that uses one thread."""
    persons = [f"p{owner}" for owner in scene.owners.tolist()]
    templates = [f"t{number}" for number in range(len(persons))]
    return Gallery.build(TemplateTable(scene.templates, persons, templates), fingerprint="dlib", dimension=128)


def interleaved(ways: dict[str, Callable[[], Any]], turns: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each way, asked in turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            began = clock()
            way()
            times[name].append(clock() - began)
    return {name: float(np.median(each)) for name, each in times.items()}


def repeated(ask: Callable[[Any], Any], batches: Sequence[Any]) -> Callable[[], None]:
    """The same question about every batch."""

    def run() -> None:
        for batch in batches:
            ask(batch)

    return run


def compared(scene: Scene, gallery: Gallery, batch: int, within: float, turns: int, *, alone: bool) -> Row:
    """Ours and the rivals (not if `alone`) at one size, batch and threshold, one thread."""
    gallery.use_threads(1)
    count = len(scene.templates)
    # Enough probes that which ones they are does not matter, and turns so long that caches are warm in most of them.
    least = -(-(_LEAST_PROBES if count <= _MOST else _LEAST_PROBES // 2) // batch)
    rounds = max(least, min(300, round(_ROUND_SECONDS * turns / 7 / (3e-5 + 3e-8 * count * batch**0.6))))
    spare = len(scene.probes) - batch + 1
    batches = [scene.probes[start : start + batch] for start in np.linspace(0, spare - 1, rounds).astype(int)]
    asked = [] if alone else rivals(scene.templates, within, batch, all_of_them=within in (0.5, 0.4))
    ways = {
        "all": repeated(lambda probes: gallery.templates_within(probes, within), batches),
        "people": repeated(lambda probes: gallery.identify(probes, within, 10), batches),
    }
    probes_of = dict.fromkeys(ways, rounds * batch)
    for rival in asked:
        some = batches[: max(1, rounds // 15)] if rival.slow else batches
        ways[rival.name], probes_of[rival.name] = repeated(rival.ask, some), len(some) * batch
    for way in ways.values():
        way()
    spent_by = interleaved(ways, turns, time.process_time)
    times = {name: 1e3 * spent / probes_of[name] for name, spent in spent_by.items()}
    return {
        "templates": count,
        "batch": batch,
        "within": within,
        "milliseconds": {name: round(spent, 5) for name, spent in times.items()},
        "faster": {rival.name: round(times[rival.name] / times["all"], 2) for rival in asked},
    }


def threaded(scene: Scene, gallery: Gallery) -> list[Row]:
    """Wall time of batches of 64 with one thread and two."""
    rows = []
    for within in (0.5, 0.4):

        def with_threads(threads: int, within: float = within) -> Callable[[], None]:
            def run() -> None:
                gallery.use_threads(threads)
                gallery.templates_within(scene.probes[:64], within)

            return run

        spent = interleaved({"1": with_threads(1), "2": with_threads(2)}, 5, time.perf_counter)
        rows.append({"within": within, "wall_milliseconds": {n: round(1e3 * t / 64, 4) for n, t in spent.items()}})
    return rows


def bandwidth(scene: Scene, gallery: Gallery) -> Row:
    """How near one probe at 0.40 comes to reading its heads as fast as the machine reads."""
    gallery.use_threads(1)
    whole = scene.templates.reshape(-1)
    ones = np.ones(len(whole), np.float32)
    probes = [scene.probes[start : start + 1] for start in range(20)]
    ways = {
        "read": lambda: np.dot(whole, ones),
        "ours": repeated(lambda probe: gallery.templates_within(probe, 0.4), probes),
    }
    spent = interleaved(ways, 5, time.process_time)
    machine = 2 * whole.nbytes / spent["read"] / 1e9
    ours = sum(gallery.head_bytes(probe, 0.4) for probe in probes) / spent["ours"] / 1e9
    return {
        "machine_gigabytes_a_second": round(machine, 1),
        "ours": round(ours, 1),
        "share": round(ours / machine, 2),
    }


def approximate(scene: Scene, gallery: Gallery) -> Row | None:
    """hnswlib: time, and how many of the true matches at 0.40 and 0.50 it finds."""
    index = hnsw(scene.templates, time.process_time)
    if index is None:
        return None
    gallery.use_threads(1)
    rows = []
    for effort in (50, 200):
        batches = [scene.probes[start : start + 1] for start in range(100)]
        ways = {
            "hnsw": repeated(lambda probe, effort=effort: index.ask(probe, effort), batches),
            "ours": repeated(lambda probe: gallery.templates_within(probe, 0.4), batches),
        }
        spent = interleaved(ways, 3, time.process_time)
        labels = index.ask(scene.probes, effort)
        for within in (0.5, 0.4):
            near = [
                np.array([int(gallery.template_at(row)[1:]) for row in rows_[np.argsort(far)[:10]]], int)
                for rows_, far in gallery.templates_within(scene.probes, within)
            ]
            hit = sum(len(set(wanted.tolist()) & set(got.tolist())) for wanted, got in zip(near, labels, strict=True))
            rows.append({"ef": effort, "within": within, "found": hit, "of": sum(map(len, near))})
        rows[-1]["milliseconds"] = {name: round(10 * each, 4) for name, each in spent.items()}
    return {"templates": len(scene.templates), "build_cpu_seconds": round(index.build_seconds, 1), "rows": rows}


def built(scene: Scene) -> tuple[Gallery, Row]:
    """The gallery, with seconds of building and mapping it and its bytes."""
    began = time.process_time()
    gallery = gallery_of(scene)
    seconds = time.process_time() - began
    packed = memoryview(gallery.pack()) if len(gallery) <= 1_000_000 else None
    loads = {}
    for name, checked in (("checked", True), ("sealed", False)) if packed is not None else ():
        began = time.process_time()
        Gallery.map(packed, checked=checked)
        loads[name] = round(1e3 * (time.process_time() - began), 3)
    return gallery, {
        "templates": len(gallery),
        "build_cpu_seconds": round(seconds, 3),
        "bytes_a_template": round(gallery.size_bytes / len(gallery)),
        "depths": list(gallery.depths),
        "load_milliseconds": loads,
    }


def memory(scene: Scene) -> Row:
    """The gallery in little memory: bytes a template in memory and in the file, and CPU milliseconds a probe."""
    persons = [f"p{owner}" for owner in scene.owners.tolist()]
    table = TemplateTable(scene.templates, persons, [f"t{number}" for number in range(len(persons))])
    began = time.process_time()
    gallery = CompactGallery(table, fingerprint="dlib", dimension=128, folder=Path(tempfile.gettempdir()))
    built_in = time.process_time() - began
    probes = [scene.probes[start : start + 1] for start in range(20)]
    ways = {
        f"{within:.2f}": repeated(lambda probe, within=within: gallery.identify(probe, within, 10), probes)
        for within in (0.5, 0.45, 0.4)
    }
    spent = interleaved(ways, 3, time.process_time)
    return {
        "templates": len(gallery),
        "memory_bytes_a_template": round(gallery.memory_bytes / len(gallery), 1),
        "file_bytes_a_template": round(gallery.file_bytes / len(gallery), 1),
        "build_cpu_seconds": round(built_in, 2),
        "milliseconds": {name: round(1e3 * each / len(probes), 3) for name, each in spent.items()},
    }


def directions(count: int, batches: Sequence[int]) -> Row:
    """Isotropic unit vectors of 512 components, the worst case, within cosine 0.35: the core, int8 and FAISS."""
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((count, 512), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [str(number) for number in range(count)]
    table, within = TemplateTable(vectors, ids, ids), cosine_distance_limit(0.35)
    core = Gallery.build(table, fingerprint="directions", dimension=512)
    small = CompactGallery(table, fingerprint="directions", dimension=512, folder=Path(tempfile.gettempdir()))
    core.use_threads(1)
    rows = {}
    for batch in batches:
        probes = (vectors[:batch] + 0.06 * rng.standard_normal((batch, 512), np.float32)).astype(np.float32)
        probes /= np.linalg.norm(probes, axis=1, keepdims=True)
        ways = {
            "core": lambda probes=probes: core.identify(probes, within, 10),
            "int8": lambda probes=probes: small.identify(probes, within, 10),
        } | {
            rival.name: lambda probes=probes, ask=rival.ask: ask(probes)
            for rival in rivals(vectors, within, batch, all_of_them=False)
        }
        spent = interleaved(ways, 3, time.process_time)
        rows[f"x{batch}"] = {name: round(1e3 * each / batch, 3) for name, each in spent.items()}
    return {
        "templates": count,
        "memory_bytes_a_template_int8": round(small.memory_bytes / count, 1),
        "milliseconds": rows,
    }


def exponents(rows: Sequence[Row]) -> dict[str, float]:
    """Slope of log time over log templates from 100 k on, by batch and threshold."""
    found = {}
    for batch in BATCHES:
        for within in THRESHOLDS:
            points = [
                (row["templates"], row["milliseconds"]["all"])
                for row in rows
                if (row["batch"], row["within"]) == (batch, within) and row["templates"] >= 100_000
            ]
            if len(points) > 1:
                x, y = np.log(np.array(points)).T
                found[f"x{batch} {within:.2f}"] = round(float(np.polyfit(x, y, 1)[0]), 3)
    return found


def measure(arguments: argparse.Namespace) -> Row:
    """All parts that were asked for, at every size; what concerns one large gallery at the largest up to a million."""
    report: Row = {"missing_rivals": missing(), "blas": os.environ.get("OPENBLAS_CORETYPE", "chosen by itself")}
    largest = max((count for count in arguments.sizes if count <= _MOST), default=0)
    for count in arguments.sizes:
        for name, told in measured(count, arguments.parts, largest=count == largest, quick=arguments.quick):
            print(f"{time.process_time():.0f} s {name} {told}", file=sys.stderr)
            report.setdefault(name, []).append(told)
    if "512" in arguments.parts and not arguments.quick:
        report["512"] = directions(min(200_000, largest), BATCHES)
    report["exponents"] = exponents(report.get("rivals", []))
    return report


def measured(count: int, parts: Sequence[str], *, largest: bool, quick: bool) -> Iterator[tuple[str, Any]]:
    """The parts at one size, as they are done."""
    scene = make(count, 320, seed=7)
    if "exactness" in parts:
        known = [number for size, number in _AUDITS.items() if size <= count] or [100]
        yield "exactness", audits(scene, (150 if count < 100_000 else 30) if quick else known[-1])
    if {*parts} & {"rivals", "growth", "bandwidth", "approximate"}:
        yield from searched(scene, parts, largest=largest, quick=quick)
    if "memory" in parts and _LEAST <= count <= _MOST:
        yield "memory", memory(scene)
    if "live" in parts and _LEAST <= count <= _MOST:
        yield "live", live(scene, 1.5 if quick else 8.0)
    if largest and "children" in parts:
        yield "children", children(scene, 16)


def searched(scene: Scene, parts: Sequence[str], *, largest: bool, quick: bool) -> Iterator[tuple[str, Any]]:
    """What is asked of one gallery that stays as it is."""
    gallery, told = built(scene)
    yield "galleries", told
    if {*parts} & {"rivals", "growth"}:
        turns = 3 if quick or len(gallery) > _MOST else 7
        for batch, within in product(BATCHES, (0.5, 0.4) if quick else THRESHOLDS):
            yield "rivals", compared(scene, gallery, batch, within, turns, alone="rivals" not in parts)
    if "approximate" in parts and not quick and _LEAST <= len(gallery) <= _MOST:
        yield "approximate", approximate(scene, gallery)
    if largest and "bandwidth" in parts:
        yield "bandwidth", bandwidth(scene, gallery)
        yield "threads", threaded(scene, gallery)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", help="1,000 to 5,000,000; with --quick to 100,000")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plots", type=Path)
    arguments = parser.parse_args()
    arguments.sizes = arguments.sizes or [1_000, 10_000, 100_000, *(() if arguments.quick else (1_000_000, 5_000_000))]
    report = measure(arguments)
    if arguments.plots:
        plot(report.get("rivals", []), arguments.plots)
    print(json.dumps(report) if arguments.json else json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
