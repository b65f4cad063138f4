"""The looks at one face while it is followed: when the gallery is asked, and what their mean comes to."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Evidence, Gallery, Look, RunningLooks, TemplateRow

REACH, NEAR = 9.0, 1.0


def listed(*places: tuple[str, float, float]) -> Gallery:
    rows = [TemplateRow(name, f"{name}-1", np.array([x, y], np.float32)) for name, x, y in places]
    return Gallery.build(rows, fingerprint="net", dimension=2)


GALLERY = listed(("a", 1, 0), ("b", 0, 1))


def seen(x: float, y: float, quality: float = 1.0) -> Look:
    return Look(np.array([x, y], np.float32), 90.0, quality)


def asked_at(looks: list[Look]) -> list[int]:
    running, found = RunningLooks(reach=REACH, near=NEAR), []
    for number, look in enumerate(looks, start=1):
        running.add(look)
        if running.weigh(GALLERY) is not None:
            found.append(number)
    return found


def test_a_steady_face_is_matched_at_1_3_6_and_12_looks() -> None:
    assert asked_at([seen(1, 0)] * 15) == [1, 3, 6, 12]


def test_a_mean_that_moved_is_matched_again() -> None:
    assert asked_at([seen(1, 0), seen(1, 0.2), seen(1, 0.1), seen(1, 0.1), seen(1.4, 0.1)]) == [1, 2, 3, 5]


def test_the_end_and_another_list_match_again_and_nothing_new_does_not() -> None:
    running = RunningLooks(reach=REACH, near=NEAR)
    assert running.weigh(GALLERY, final=True) is None
    for _ in range(4):
        running.add(seen(1, 0))
    assert running.weigh(GALLERY) is not None
    assert running.weigh(GALLERY, final=True) is None
    running.add(seen(1, 0))
    assert running.weigh(GALLERY) is None
    assert running.weigh(GALLERY, final=True) is not None
    other = running.weigh(listed(("c", 1, 0)))
    assert other is not None
    assert [each.candidates[0].person for each in other.opinions] == ["c"] * 5


def test_the_looks_from_when_a_face_was_small_do_not_hold_up_its_full_sized_ones() -> None:
    running = RunningLooks(reach=REACH, near=NEAR)
    for _ in range(9):
        running.add(replace(seen(1, 0.3), height_px=36.0))
        running.weigh(GALLERY)
    running.add(replace(seen(1, 0), height_px=40.0))
    evidence = running.weigh(GALLERY)
    assert evidence is not None
    assert [each.height_px for each in evidence.opinions] == [40.0]
    assert evidence.mean[0].distance == pytest.approx(0, abs=1e-6)
    assert evidence.first == pytest.approx(0.3), "of the passage's first look"
    running.add(replace(seen(1, 0), height_px=39.0))
    assert len(running) == 2, "a face at the limit does not begin again and again"


def test_the_mean_is_weighted_by_quality_over_all_looks() -> None:
    running = RunningLooks(reach=REACH, near=NEAR)
    for _ in range(20):
        running.add(seen(1, 0, 0.9))
        running.add(seen(0, 1, 0.1))
    evidence = running.weigh(GALLERY)
    assert evidence is not None
    assert evidence.mean[0].distance == pytest.approx(0.1 * 2**0.5)
    assert len(evidence.opinions) == 12, "of which the latest vote"


def test_looks_are_asked_one_by_one_only_near_the_list_and_each_once() -> None:
    far = RunningLooks(reach=REACH, near=NEAR)
    for _ in range(12):
        far.add(seen(5, 5))
        evidence = far.weigh(GALLERY)
        assert evidence is None or not evidence.asked
    assert far.queries == 4, "the mean alone"
    near = RunningLooks(reach=REACH, near=NEAR)
    found: list[Evidence | None] = []
    for _ in range(12):
        near.add(seen(1, 0))
        found.append(near.weigh(GALLERY))
    assert near.queries == 4 + 12
    assert [len(each.opinions) for each in found if each is not None] == [1, 3, 6, 12]


def test_the_first_looks_distance_is_kept() -> None:
    running = RunningLooks(reach=REACH, near=NEAR)
    running.add(seen(1, 0.5))
    first = running.weigh(GALLERY)
    running.add(seen(1, 0))
    last = running.weigh(GALLERY, final=True)
    assert first is not None
    assert last is not None
    assert first.first == last.first == pytest.approx(0.5)


def vectors(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(4).normal(size=(count, 2)).astype(np.float32)


def test_opinions_are_those_of_asking_each_look_alone() -> None:
    running = RunningLooks(reach=REACH, near=REACH)
    probes = vectors(30)
    for probe in probes:
        running.add(Look(probe, 90.0, 0.5))
        running.weigh(GALLERY)
    evidence = running.weigh(GALLERY, final=True)
    assert evidence is not None
    assert [each.candidates for each in evidence.opinions] == list(GALLERY.identify(probes[-12:], REACH, 3))
