"""A gallery that changes while it is read: what changes cost, what readers feel, and many processes on one memory."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from dlib_like import Scene

from gateway.matching import GalleryWriter, TemplateRow, TemplateTable
from gateway.vision.memory import SealedMemory

_CHANGES_A_SECOND = 100
_SPARE = 2_000


def _table(scene: Scene, count: int) -> TemplateTable:
    persons = [f"p{owner}" for owner in scene.owners[:count].tolist()]
    return TemplateTable(scene.templates[:count], persons, [f"t{number}" for number in range(count)])


def live(scene: Scene, seconds: float) -> dict[str, Any]:
    """CPU microseconds of a change; p50 and p95 of a reader's search, idle and under 100 changes a second (wall)."""
    first = len(scene.templates) - _SPARE
    writer = GalleryWriter(_table(scene, first), fingerprint="dlib", dimension=128)
    rows = [TemplateRow(f"p{scene.owners[n]}", f"t{n}", scene.templates[n]) for n in range(first, len(scene.templates))]
    adds = [_spent(lambda row=row: writer.add([row])) for row in rows[: _SPARE // 2]]
    removes = [
        _spent(lambda part=part: _remove_all(writer, part)) / len(part) for part in _fifties(rows[: _SPARE // 2])
    ]
    publish = _spent(writer.publish)
    quiet, busy = [], []
    for _ in range(4):  # in turns, so that what else the machine does weighs on both
        quiet += _searches(writer, scene, seconds / 8)
        busy += _under_changes(writer, scene, rows[_SPARE // 2 :], seconds / 8)
    return {
        "templates": first,
        "add_microseconds": round(float(np.median(adds)), 1),
        "remove_microseconds": round(float(np.median(removes)), 2),
        "publish_after_1000_removals_microseconds": round(publish),
        "search_p50_p95_milliseconds": {
            name: [round(1e3 * float(np.percentile(each, part)), 3) for part in (50, 95)]
            for name, each in (("idle", quiet), ("changing", busy))
        },
        "p95_ratio": round(float(np.percentile(busy, 95) / np.percentile(quiet, 95)), 2),
        "rebuilt": writer.rebuilt,
    }


def _fifties(rows: list[TemplateRow]) -> list[list[TemplateRow]]:
    """A removal is shorter than a look at the clock: fifty are measured together."""
    return [rows[start : start + 50] for start in range(0, len(rows), 50)]


def _remove_all(writer: GalleryWriter, rows: list[TemplateRow]) -> None:
    for row in rows:
        writer.remove(row.template)


def _spent(change: Any) -> float:
    began = time.thread_time_ns()
    change()
    return (time.thread_time_ns() - began) / 1e3


def _searches(writer: GalleryWriter, scene: Scene, seconds: float) -> list[float]:
    times, until, turn = [], time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        probe = scene.probes[turn % len(scene.probes)][None]
        began = time.perf_counter()
        writer.view.identify(probe, 0.45, 10)
        times.append(time.perf_counter() - began)
        turn += 1
    return times


def _under_changes(writer: GalleryWriter, scene: Scene, rows: list[TemplateRow], seconds: float) -> list[float]:
    ended = threading.Event()

    def change() -> None:
        turn = 0
        while not ended.wait(1 / _CHANGES_A_SECOND):
            row = rows[turn % len(rows)]
            if row.template in writer:
                writer.remove(row.template)
            else:
                writer.add([row])
            turn += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        return _searches(writer, scene, seconds)
    finally:
        ended.set()
        thread.join()


_CHILD = """
import os, socket, sys
import numpy as np
sys.path.insert(0, sys.argv[2])
from unittest.mock import Mock
from gateway.vision.video.list_holder import ListHolder
from gateway.wire import GallerySnapshot
channel = socket.socket(fileno=int(sys.argv[1]))
holder = ListHolder(Mock(fingerprint="dlib"))
probe = np.frombuffer(channel.recv(512), np.float32)[None]
channel.send(b"here")
while True:
    said, fds, _, _ = socket.recv_fds(channel, 200, 1)
    if not said:
        break
    revision, people, templates, size, rows, numbered = map(int, said.split())
    holder.apply(GallerySnapshot(revision=revision, people=people, templates=templates, size=size, fingerprint="dlib",
                                 rows=rows, numbered=numbered), fds[0])
    found = holder.current.gallery.identify(probe, 0.4, 1) if revision % 2 == 0 else ()
    channel.send(b"%d" % holder.revision)
"""


def children(scene: Scene, count: int) -> dict[str, Any]:
    """Processes that map one gallery: their memory in sum, and from a change to the last one that compares with it."""
    memories: list[SealedMemory] = []

    def allocate(size: int) -> memoryview:
        memories.append(SealedMemory(size))
        return memories[-1].view()

    began = time.perf_counter()
    writer = GalleryWriter(
        _table(scene, len(scene.templates) - 100), fingerprint="dlib", dimension=128, revision=1, allocate=allocate
    )
    built = time.perf_counter() - began
    started = [_started(scene) for _ in range(count)]
    try:
        assert all(channel.recv(100) == b"here" for _, channel in started)
        first = _told(writer, memories[-1], started)
        writer.publish(2)
        _told(writer, memories[-1], started)  # each searches once, so that every page is mapped
        changes = []
        for number in range(len(scene.templates) - 100, len(scene.templates) - 50):
            began = time.perf_counter()
            row = TemplateRow(f"p{scene.owners[number]}", f"t{number}", scene.templates[number])
            writer.add([row], revision=2 * number + 1)
            changes.append(_told(writer, memories[-1], started, began))
        proportional, shared = zip(*(_memory(process.pid) for process, _ in started), strict=True)
        return {
            "children": count,
            "templates": len(writer),
            "shared_megabytes": round(memories[-1].size / 2**20),
            "children_proportional_megabytes": round(sum(proportional)),
            "of_it_the_gallery_megabytes": round(sum(shared)),
            "build_seconds": round(built, 2),
            "first_map_by_all_milliseconds": round(1e3 * first, 1),
            "change_to_last_child_milliseconds": {
                "p50": round(1e3 * float(np.median(changes)), 2),
                "most": round(1e3 * max(changes), 2),
            },
        }
    finally:
        for process, channel in started:
            channel.close()
            process.wait(20)


def _started(scene: Scene) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    root = str(Path(__file__).resolve().parents[1])
    process = subprocess.Popen([sys.executable, "-c", _CHILD, str(theirs.fileno()), root], pass_fds=(theirs.fileno(),))
    theirs.close()
    ours.send(scene.probes[0].tobytes())
    return process, ours


def _told(writer: GalleryWriter, memory: SealedMemory, started: Any, began: float | None = None) -> float:
    """Seconds until every child has said that it compares with the newest revision."""
    began = time.perf_counter() if began is None else began
    extent = writer.extent
    numbers = (extent.revision, extent.persons, extent.templates, memory.size, extent.rows, extent.people)
    for _, channel in started:
        socket.send_fds(channel, [" ".join(map(str, numbers)).encode()], [memory.descriptor])
    for _, channel in started:
        assert int(channel.recv(100)) == extent.revision
    return time.perf_counter() - began


def _memory(process: int) -> tuple[float, float]:
    """Megabytes of a process, pages that are shared counted in parts (PSS): all of it, and of the gallery's memory."""
    whole = part = 0
    inside = False
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="ascii", errors="replace").splitlines():
        if "-" in line.split(" ", 1)[0]:
            inside = "memfd:watch-list" in line
        elif line.startswith("Pss:"):
            size = int(line.split()[1])
            whole += size
            part += size if inside else 0
    return whole / 1024, part / 1024
