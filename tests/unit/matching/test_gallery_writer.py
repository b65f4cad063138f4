"""A gallery that changes while it is read."""

import functools
import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from gateway.matching import Gallery, GalleryError, GalleryWriter, TemplateRow, TemplateTable

DIMENSION = 24


@functools.cache
def vector(seed: int) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).standard_normal(DIMENSION) * 0.7 ** np.arange(DIMENSION)
    return values.astype(np.float32)


def row(number: int, person: str = "") -> TemplateRow:
    return TemplateRow(person or f"p{number}", f"t{number}", vector(number), f"label {number}")


def writer_of(count: int, per_person: int = 1) -> GalleryWriter:
    table = TemplateTable(
        np.vstack([vector(number) for number in range(count)]) if count else np.empty((0, DIMENSION), np.float32),
        [f"p{number // per_person}" for number in range(count)],
        [f"t{number}" for number in range(count)],
    )
    return GalleryWriter(table, fingerprint="net", dimension=DIMENSION)


def persons(gallery: Gallery, number: int, within: float = 0.0) -> list[str]:
    return [each.person for each in gallery.identify(vector(number)[None], within, 100)[0]]


class Changes(RuleBasedStateMachine):
    """Any order of changes against a dictionary; the gallery begins just below the size at which heads pay."""

    def __init__(self) -> None:
        super().__init__()
        self.writer = writer_of(4_090, per_person=3)
        self.expected = {f"t{number}": (f"p{number // 3}", number) for number in range(4_090)}
        self.next = 4_090

    @rule(count=st.integers(1, 60), person=st.integers(0, 1_500))
    def add(self, count: int, person: int) -> None:
        rows = [row(number, f"p{person}") for number in range(self.next, self.next + count)]
        self.writer.add(rows)
        self.expected |= {each.template: (each.person, number) for number, each in enumerate(rows, self.next)}
        self.next += count

    @precondition(lambda self: self.expected)
    @rule(pick=st.integers(0, 10**6))
    def remove(self, pick: int) -> None:
        template = list(self.expected)[pick % len(self.expected)]
        self.writer.remove(template)
        del self.expected[template]

    @precondition(lambda self: self.expected)
    @rule(pick=st.integers(0, 10**6))
    def remove_person(self, pick: int) -> None:
        person = list(self.expected.values())[pick % len(self.expected)][0]
        self.writer.remove_person(person)
        self.expected = {template: told for template, told in self.expected.items() if told[0] != person}

    @rule()
    def publish(self) -> None:
        self.writer.publish()
        assert len(self.writer.view) == len(self.expected)
        assert self.writer.view.persons == len({person for person, _ in self.expected.values()})

    @rule()
    def rebuild(self) -> None:
        self.writer.rebuild()

    @invariant()
    def answers_are_those_of_a_brute_force(self) -> None:
        probe = vector(self.next // 2)
        numbers = [number for _, number in self.expected.values()]
        exact = np.linalg.norm(np.vstack([vector(n) for n in numbers]).astype(np.float64) - probe, axis=1)
        near = {person for (person, _), far in zip(self.expected.values(), exact, strict=True) if far <= 0.9}
        (found,) = self.writer.view.identify(probe[None], 0.9, 10**6)
        assert {each.person for each in found} == near


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=4, stateful_step_count=6, deadline=None)


def test_a_view_stays_what_it_was_but_for_removals() -> None:
    writer = writer_of(10)
    before = writer.view
    writer.add([row(10), row(11)], revision=2)
    assert (len(before), before.revision, persons(before, 10)) == (10, 0, [])
    assert (len(writer.view), writer.view.revision, persons(writer.view, 10)) == (12, 2, ["p10"])
    writer.remove("t3")
    assert persons(before, 3) == persons(writer.view, 3) == []


def test_a_person_goes_with_all_templates_and_may_come_back() -> None:
    writer = writer_of(30, per_person=3)
    writer.remove_person("p2")
    assert "t7" not in writer
    assert [persons(writer.view, number) for number in (5, 6, 7, 8, 9)] == [["p1"], [], [], [], ["p3"]]
    writer.add([row(7, "p2")])
    writer.publish()
    assert (persons(writer.view, 7), persons(writer.view, 8)) == (["p2"], [])
    assert (len(writer.view), writer.view.persons, writer.view.label_of("p2")) == (28, 10, "label 7")


def test_a_label_is_found_whatever_the_ids_before_it_end_with() -> None:
    assert (
        GalleryWriter([row(0, "a"), row(1, "aa")], fingerprint="f", dimension=DIMENSION).view.label_of("aa")
        == "label 1"
    )


def test_the_last_template_takes_its_person_along() -> None:
    writer = writer_of(2)
    writer.remove("t0")
    writer.publish()
    assert writer.view.persons == 1
    with pytest.raises(KeyError):
        writer.remove_person("p0")
    with pytest.raises(KeyError):
        writer.remove("t0")


def test_what_was_removed_is_overwritten() -> None:
    writer = writer_of(300)
    writer.remove("t5")
    writer.publish()
    memory = bytes(writer.arrays.buffer)
    assert vector(5).tobytes() not in memory
    assert vector(6).tobytes() in memory


def test_a_bad_row_adds_nothing() -> None:
    writer = writer_of(3)
    for bad, says in [
        (row(1), "template t1: is there twice"),
        (TemplateRow("x", "bad", np.zeros(DIMENSION, np.float32)), "all zeros"),
        (TemplateRow("x", "bad", np.full(DIMENSION, np.nan, np.float32)), "NaN"),
        (TemplateRow("x", "bad", np.ones(3, np.float32)), "shape"),
    ]:
        with pytest.raises(GalleryError, match=says):
            writer.add([row(77), bad])
    assert "t77" not in writer
    assert len(writer.view) == 3


def test_growth_out_of_the_room_and_a_longer_vector_rebuild_and_lose_nobody() -> None:
    writer = writer_of(5)
    for number in range(5, 400):
        writer.add([row(number)])
    assert 1 <= writer.rebuilt <= 10
    writer.add([TemplateRow("long", "long", np.full(DIMENSION, 50, np.float32))])
    assert all(persons(writer.view, number) == [f"p{number}"] for number in range(400))
    (found,) = writer.view.identify(np.full((1, DIMENSION), 50.0), 0.1, 1)
    assert found[0].person == "long"


def test_many_removals_are_swept_up() -> None:
    writer = writer_of(400)
    for number in range(150):
        writer.remove(f"t{number}")
    writer.publish()
    assert writer.rebuilt == 1
    assert (writer.view.extent.rows, persons(writer.view, 200), persons(writer.view, 2)) == (250, ["p200"], [])


def test_from_nobody_to_somebody() -> None:
    writer = writer_of(0)
    assert persons(writer.view, 1, 9.0) == []
    writer.add([row(1)])
    assert persons(writer.view, 1) == ["p1"]


def test_readers_never_see_half_a_person_nor_lose_who_stays() -> None:
    """While one thread adds and removes a person of three templates, and rebuilds, others search."""
    writer = writer_of(5_000)
    ended, faults = threading.Event(), []
    trio = [TemplateRow("trio", f"x{n}", vector(9_000) + np.float32(n * 1e-3)) for n in range(3)]
    probes = np.vstack([vector(9_000), vector(17)])

    def read() -> None:
        while not ended.is_set():
            newcomer, listed = writer.view.identify(probes, 0.05, 5)
            if [each.person for each in listed] != ["p17"]:
                faults.append(("lost", listed))
            if newcomer and (newcomer[0].template, len(newcomer)) != ("x0", 1):
                faults.append(("half", newcomer))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(60):
        writer.add(trio)
        writer.remove_person("trio")
        writer.publish()
        if turn % 20 == 10:
            writer.rebuild()
    ended.set()
    for thread in threads:
        thread.join()
    assert not faults
