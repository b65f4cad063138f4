"""Who is worth a closer look: who nearly matches, as long as that may yet decide it, and nobody for ever."""

from dataclasses import replace

import numpy as np
from harness.shades import GALLERY, LISTED, SETTINGS, STRANGER, TOOLS, ShadeEmbedder, frame
from numpy.typing import NDArray

from gateway.matching import Detection, FactoryModel, Gallery, NoVectorError, TemplateRow
from gateway.matching.factory import of_track
from gateway.settings import MatchingSettings
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.passers import Match, Passers


class NoisyEmbedder(ShadeEmbedder):
    """Each look lies 0.3 off in a direction of its own, so only a mean of many is near the truth."""

    fingerprint, dimension = "shades", 24

    def __init__(self) -> None:
        self.embedded = 0

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = np.zeros((len(chips), 24), np.float32)
        for vector, chip in zip(vectors, chips, strict=True):
            vector[0] = chip[0, 0, 0] / 100
            vector[1 + self.embedded % 23] = 0.3
            self.embedded += 1
        return vectors


def small_walk(shade: int, threshold: float) -> tuple[int, int]:
    """Of a small face of this shade for 15 looks: the warnings, and how many views were embedded."""
    embedder = NoisyEmbedder()
    listed = np.zeros(24, np.float32)
    listed[0] = LISTED / 100
    gallery = Gallery.build([TemplateRow("p1", "f1", listed)], fingerprint="shades", dimension=24)
    tools = replace(TOOLS, embedder=embedder)  # type: ignore[arg-type]  # metric is a str here
    passers = Passers("cam-01", tools, MatchingSettings(threshold=0.6, small_face_threshold=threshold))
    found: list[Match] = []
    for step in range(15):
        face = Detection(100 + 4 * step, 100, 36, 36, 0.9)
        found += passers.follow(step * 0.2, frame((face, shade)), [face], gallery)
    return len(found), embedder.embedded


def test_a_small_face_that_resembles_somebody_is_looked_at_until_it_is_decided() -> None:
    warned, embedded = small_walk(LISTED, 0.2)
    assert warned == 1
    assert embedded >= 4


def test_a_small_face_that_resembles_nobody_costs_no_more_looks_than_before() -> None:
    assert small_walk(STRANGER, 0.2) == (0, 3)


def test_a_list_that_becomes_empty_ends_a_closer_look() -> None:
    embedder = NoisyEmbedder()
    listed = np.zeros(24, np.float32)
    listed[0] = LISTED / 100
    full = Gallery.build([TemplateRow("p1", "f1", listed)], fingerprint="shades", dimension=24)
    tools = replace(TOOLS, embedder=embedder)  # type: ignore[arg-type]  # metric is a str here
    passers = Passers("cam-01", tools, MatchingSettings(threshold=0.6, small_face_threshold=0.2))
    counts = []
    for step in range(44):
        face = Detection(100 + 4 * step, 100, 36, 36, 0.9)
        gallery = full if step < 22 else Gallery.build([], fingerprint="shades", dimension=24)
        passers.follow(step * 0.2, frame((face, LISTED + 25)), [face], gallery)
        counts.append(embedder.embedded)
    assert counts[21] >= 8, "it resembles somebody"
    assert counts[-1] - counts[21] <= 4


class FailingEmbedder(ShadeEmbedder):
    """Gives no number for two looks of three."""

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += 1
        return super().embed(chips) * (1 if self.asked % 3 else np.nan)


def test_who_leaves_while_looks_fail_is_seen_off_all_the_same() -> None:
    tools = replace(TOOLS, embedder=FailingEmbedder())  # type: ignore[arg-type]  # metric is a str here
    passers, failed = Passers("cam-01", tools, SETTINGS), 0
    face = Detection(100, 100, 80, 80, 0.9)
    for step in range(800):
        faces = [face] if step % 20 < 5 else []
        try:
            passers.follow(step * 0.2, frame(*((each, STRANGER) for each in faces)), faces, GALLERY)
        except NoVectorError:
            failed += 1
    assert failed > 10
    assert vars(passers)["_seen"] == {}
    assert vars(passers)["_passages"] == {}
    assert passers.counts.total == 40


def test_of_a_long_list_no_more_than_a_tenth_of_strangers_is_near_enough_for_a_closer_look() -> None:
    book, factory = ThresholdBook(SETTINGS), FactoryModel.load()
    for people in (1, 10, 100, 1_000, 10_000):
        near, threshold = book.near(people, "full"), book.of("cam-01", people)
        assert of_track(factory.fmr("mean", near), people) <= 0.1
        assert threshold.full < near <= 0.6
        assert threshold.small < book.near(people, "small") < near
