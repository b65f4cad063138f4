"""From portraits to names: three identities only, so this shows that the parts fit, not how accurate they are."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import (
    Decision,
    DlibEmbedder,
    FaceDetector,
    FaceTracker,
    FivePointAligner,
    Gallery,
    HogDetector,
    Look,
    MatchPolicy,
    TemplateRow,
    Thresholds,
    Verdict,
    VisitBook,
    YuNetDetector,
    assess,
    weigh_looks,
)

REACH = 0.65
THRESHOLDS = Thresholds(0.55, 0.5)
Portrait = Callable[[str], NDArray[np.uint8]]
Embed = Callable[[FaceDetector, NDArray[np.uint8]], Look]


@pytest.fixture
def embed(aligner: FivePointAligner, embedder: DlibEmbedder) -> Embed:
    def look(detector: FaceDetector, picture: NDArray[np.uint8]) -> Look:
        face = detector.detect(picture)[0]
        chip = aligner.align(picture, face)
        assert chip is not None
        return Look(embedder.embed(chip[None])[0], face.height, assess(picture, face).score)

    return look


@pytest.fixture
def gallery(embed: Embed, yunet: YuNetDetector, portrait: Portrait, embedder: DlibEmbedder) -> Gallery:
    rows = [TemplateRow(name, f"{name}-1", embed(yunet, portrait(name)).vector) for name in ("obama", "astronaut")]
    return Gallery.build(rows, fingerprint=embedder.fingerprint, dimension=128)


def looks_at(picture: NDArray[np.uint8], detector: FaceDetector, embed: Embed, height: float) -> list[Look]:
    """Three looks at a portrait whose face is about `height` px high, with noise as a camera has."""
    face = detector.detect(picture)[0]
    factor = height / face.height
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(4)
    noisy = [np.clip(small + rng.normal(0, 4, small.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    return [embed(detector, frame) for frame in noisy]


@pytest.mark.parametrize("height", [150.0, 90.0, 48.0])
@pytest.mark.parametrize(("shown", "named"), [("obama2", "obama"), ("biden", None)])
def test_who_is_listed_is_named_and_who_is_not_is_nobody(
    embed: Embed,
    yunet: YuNetDetector,
    gallery: Gallery,
    portrait: Portrait,
    height: float,
    shown: str,
    named: str | None,
) -> None:
    evidence = weigh_looks(gallery, looks_at(portrait(shown), yunet, embed, height), reach=REACH)
    decision = MatchPolicy().decide(evidence, THRESHOLDS, final=True)
    assert decision.person == named
    assert decision.looks == 3
    assert decision.height_px == pytest.approx(height, rel=0.15)


@pytest.mark.parametrize(("shown", "named"), [("obama2", "obama"), ("biden", None)])
def test_hog_serves_the_chain_as_well(
    embed: Embed, hog: HogDetector, gallery: Gallery, portrait: Portrait, shown: str, named: str | None
) -> None:
    evidence = weigh_looks(gallery, looks_at(portrait(shown), hog, embed, 110.0), reach=REACH)
    assert MatchPolicy().decide(evidence, THRESHOLDS, final=True).person == named


def test_looks_too_small_to_count_are_left_out(gallery: Gallery) -> None:
    look = Look(np.ones(128, np.float32), 20.0, 1.0)
    evidence = weigh_looks(gallery, [look], reach=9.0, least_height_px=32.0)
    assert (evidence.opinions, evidence.mean) == ((), ())


def test_the_mean_leans_to_the_better_look() -> None:
    rows = [TemplateRow("a", "a1", np.array([1, 0], np.float32)), TemplateRow("b", "b1", np.array([0, 1], np.float32))]
    gallery = Gallery.build(rows, fingerprint="net", dimension=2)
    good = Look(np.array([1, 0], np.float32), 90.0, 0.9)
    poor = Look(np.array([0, 1], np.float32), 90.0, 0.1)
    evidence = weigh_looks(gallery, [good, poor], reach=2.0)
    assert [c.person for c in evidence.mean] == ["a", "b"]
    assert evidence.mean[0].distance == pytest.approx(0.1 * 2**0.5)
    assert [o.candidates[0].person for o in evidence.opinions] == ["a", "b"]


def test_one_visit_of_a_listed_person_is_one_warning(
    yunet: YuNetDetector, aligner: FivePointAligner, embedder: DlibEmbedder, gallery: Gallery, portrait: Portrait
) -> None:
    """Two people walk through one stream, the listed one twice out of sight for a second."""
    warned: list[Decision] = []
    tracker, policy, book = FaceTracker(), MatchPolicy(), VisitBook()
    looks: dict[int, list[Look]] = {}
    sprites = {name: sprite(portrait(name), yunet) for name in ("obama2", "biden")}
    for step in range(60):
        frame = np.full((360, 640, 3), 110, np.uint8)
        frame[300:] = 60
        if not 20 <= step < 30:
            paste(frame, sprites["obama2"], 20 + 4 * step)
        paste(frame, sprites["biden"], 620 - 160 - 3 * step, top=180)
        update = tracker.update(step * 0.1, frame, yunet.detect(frame))
        for track in update.live:
            if warned and track.face.y < 150:
                book.stays("obama", track.last_seen)
        for track, shot in update.shots:
            chip = aligner.align(shot.crop, shot.face)
            assert chip is not None
            look = Look(embedder.embed(chip[None])[0], shot.quality.height_px, shot.quality.score)
            looks.setdefault(track.number, []).append(look)
            decision = policy.decide(weigh_looks(gallery, looks[track.number], reach=REACH), THRESHOLDS)
            if decision.verdict is Verdict.MATCH and book.begins(str(decision.person), shot.at):
                warned.append(decision)
    assert [decision.person for decision in warned] == ["obama"]
    assert len(looks) >= 3


def sprite(picture: NDArray[np.uint8], yunet: YuNetDetector) -> NDArray[np.uint8]:
    """Head and shoulders, the face 80 px high."""
    face = yunet.detect(picture)[0]
    top, left = max(0, int(face.y - face.height / 2)), max(0, int(face.x - face.width / 2))
    part = picture[top : int(face.y + 1.4 * face.height), left : int(face.x + 1.5 * face.width)]
    factor = 80 / face.height
    return np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def paste(frame: NDArray[np.uint8], part: NDArray[np.uint8], left: int, top: int = 20) -> None:
    left = max(0, min(left, frame.shape[1] - part.shape[1]))
    frame[top : top + part.shape[0], left : left + part.shape[1]] = part[: frame.shape[0] - top]
