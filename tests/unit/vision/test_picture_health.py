"""A picture that is dark, blinded, covered, blurred, turned away or frozen, and one that only lives."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from gateway.vision.video.health import Ailment, PictureHealth, Plane, Verdict

HEIGHT, WIDTH = 54, 96
Make = Callable[[np.random.Generator], Plane]


def scene(seed: int = 1) -> Plane:
    """A view with walls, doors and windows: rectangles of different grey, some before others."""
    chance = np.random.default_rng(seed)
    plane = np.full((HEIGHT, WIDTH), 110, np.uint8)
    for _ in range(40):
        top, left = chance.integers(0, HEIGHT - 6), chance.integers(0, WIDTH - 8)
        high, wide = chance.integers(5, 22, 2)
        plane[top : top + high, left : left + wide] = chance.integers(30, 220)
    return plane


def noisy(plane: Plane, chance: np.random.Generator, size: float = 3.0) -> Plane:
    return np.clip(plane + chance.normal(0, size, plane.shape), 0, 255).astype(np.uint8)


def shown(health: PictureHealth, make: Make, seconds: int, start: int = 0) -> list[tuple[int, Verdict]]:
    chance = np.random.default_rng(start)
    due = (now for now in range(start, start + seconds) if health.is_due(now))
    return [(now, each) for now in due for each in health.judge(make(chance), float(now))]


def live(plane: Plane) -> Make:
    return partial(noisy, plane)


def learned() -> PictureHealth:
    health = PictureHealth()
    assert shown(health, live(scene()), 120) == []
    return health


def black(chance: np.random.Generator) -> Plane:
    return noisy(np.full((HEIGHT, WIDTH), 4, np.uint8), chance, 1)


def white(chance: np.random.Generator) -> Plane:
    return noisy(np.full((HEIGHT, WIDTH), 250, np.uint8), chance, 1)


def hand(chance: np.random.Generator) -> Plane:
    return noisy(np.full((HEIGHT, WIDTH), 90, np.uint8), chance, 2)


def blurred(chance: np.random.Generator) -> Plane:
    rows = np.linspace(60, 180, HEIGHT)[:, None] + np.linspace(-20, 20, WIDTH)[None, :]
    return noisy(rows.astype(np.uint8), chance, 0.3)


@pytest.mark.parametrize(
    ("make", "ailment", "after"),
    [
        (black, Ailment.DARK, 10),
        (white, Ailment.BLINDED, 10),
        (hand, Ailment.COVERED, 10),
        (blurred, Ailment.BLURRED, 30),
        (live(scene(2)), Ailment.MOVED, 30),
        (lambda _chance: scene(), Ailment.FROZEN, 60),
    ],
)
def test_an_ailment_is_told_once_when_it_lasts_and_its_end_once(make: Make, ailment: Ailment, after: int) -> None:
    health = learned()
    begun = shown(health, make, after + 30, 120)
    ended = shown(health, live(scene()), 60, 120 + after + 30)

    assert [verdict for _, verdict in begun] == [Verdict(ailment, active=True)]
    assert abs(begun[0][0] - 120 - after) <= 1
    assert [verdict for _, verdict in ended] == [Verdict(ailment, active=False)]


def test_what_passes_is_none() -> None:
    health = learned()
    for make in (black, hand, blurred, live(scene(2))):
        assert shown(health, make, 8, int(health._judged_at) + 1) == []
        assert shown(health, live(scene()), 12, int(health._judged_at) + 1) == []


def test_people_and_daylight_are_none() -> None:
    health = learned()
    chance = np.random.default_rng(7)
    for second in range(3600):
        light = 0.55 + 0.45 * np.cos(second / 600)
        plane = (scene() * light).astype(np.uint8)
        left = second * 3 % (WIDTH - 20)
        plane[15:, left : left + 20] = 70
        assert health.judge(noisy(plane, chance), 200.0 + second) == []


def test_a_camera_that_was_turned_on_purpose_is_accepted_after_a_while() -> None:
    health = learned()
    verdicts = [verdict for _, verdict in shown(health, live(scene(2)), 1000, 120)]

    assert verdicts == [Verdict(Ailment.MOVED, active=True), Verdict(Ailment.MOVED, active=False)]


def test_without_knowing_the_view_only_plain_ailments_are_told() -> None:
    health = PictureHealth()
    assert shown(health, live(scene()), 30) == []
    assert shown(health, live(scene(2)), 120, 30) == []
    assert [verdict.ailment for _, verdict in shown(health, black, 20, 150)] == [Ailment.DARK]


def test_another_size_is_learned_anew() -> None:
    health = learned()
    other = np.kron(scene()[::2, ::2], np.ones((1, 1))).astype(np.uint8)
    assert shown(health, live(other), 100, 120) == []
