"""Counts answers of the gallery that differ from a brute force in float64: none must."""

from typing import Any

import numpy as np
from dlib_like import Scene
from numpy.typing import NDArray

from gateway.matching import GalleryWriter, TemplateRow, TemplateTable

_CHUNK = 20_000
_TOLERANCE = 1e-9


def audits(scene: Scene, budget: int, seed: int = 11) -> dict[str, Any]:
    """Audit a gallery that was changed live: `budget` probes over batches, thresholds, numbers wanted and threads.

    An audit is one probe's answer: the accepted people and, at 1e-9, their distances.
    """
    rng = np.random.default_rng(seed)
    count = len(scene.templates)
    first = count - min(2_000, count // 10)
    people = np.array([f"p{owner}" for owner in scene.owners.tolist()])
    table = TemplateTable(scene.templates[:first], people[:first].tolist(), [f"t{n}" for n in range(first)])
    writer = GalleryWriter(table, fingerprint="dlib", dimension=128)
    alive = _changed(writer, scene, people, first, rng)
    asked = failed = 0
    while asked < budget:
        batch = min(int(rng.choice([1, 2, 3, 8, 64])), budget - asked)
        within = float(rng.choice([0.6, 0.55, 0.5, 0.45, 0.4])) + float(rng.uniform(-0.02, 0.02))
        wanted = int(rng.choice([1, 10, 1_000_000]))
        writer.view.use_threads(int(rng.choice([1, 2])))
        probes = scene.probes[rng.choice(len(scene.probes), batch, replace=False)]
        answers = writer.view.identify(probes, within, wanted)
        for probe, answer in zip(probes, answers, strict=True):
            expected = _brute_force(scene, alive, people, probe, within)
            failed += not _agrees([(each.person, each.distance) for each in answer], expected, wanted)
        asked += batch
    return {"templates": count, "audits": asked, "failures": failed}


def _changed(
    writer: GalleryWriter, scene: Scene, people: NDArray[np.str_], first: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Adds the rest of the scene, removes some templates and some people; says who is left."""
    alive = np.ones(len(people), bool)
    for start in range(first, len(people), 97):
        part = range(start, min(start + 97, len(people)))
        writer.add([TemplateRow(str(people[n]), f"t{n}", scene.templates[n]) for n in part])
    for number in rng.choice(len(people), max(1, min(300, len(people) // 30)), replace=False).tolist():
        writer.remove(f"t{number}")
        alive[number] = False
    for person in rng.choice(np.unique(people[alive]), max(1, min(100, len(people) // 50)), replace=False).tolist():
        writer.remove_person(person)
        alive[people == person] = False
    writer.publish()
    return alive


def _brute_force(
    scene: Scene, alive: NDArray[np.bool_], people: NDArray[np.str_], probe: NDArray[np.float32], within: float
) -> list[tuple[str, float]]:
    best: dict[str, float] = {}
    for start in range(0, len(people), _CHUNK):
        differences = scene.templates[start : start + _CHUNK].astype(np.float64) - probe
        distances = np.sqrt(np.einsum("nd,nd->n", differences, differences))
        for number in np.flatnonzero((distances <= within) & alive[start : start + _CHUNK]).tolist():
            person = str(people[start + number])
            best[person] = min(best.get(person, np.inf), float(distances[number]))
    return sorted(best.items(), key=lambda entry: entry[1])


def _agrees(found: list[tuple[str, float]], expected: list[tuple[str, float]], wanted: int) -> bool:
    """The same people in the same order, their distances to 1e-9."""
    if [person for person, _ in found] != [person for person, _ in expected[:wanted]]:
        return False
    return all(abs(a - b) <= _TOLERANCE for (_, a), (_, b) in zip(found, expected, strict=False))
