"""Pictures of dusk, seen as if by day."""

import numpy as np
import pytest

from gateway.vision.video.dusk import gain_of, lightened

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(("level", "gain"), [(200, 1.0), (60, 1.0), (50, 2.0), (25, 4.0), (2, 8.0), (0, 8.0)])
def test_only_dusk_is_made_lighter_and_not_without_end(level: int, gain: float) -> None:
    assert gain_of(np.full((54, 96), level, np.uint8)) == gain


def test_by_day_a_picture_stays_the_very_same() -> None:
    picture = RNG.integers(0, 255, (90, 160, 3)).astype(np.uint8)
    assert lightened(picture, 1.0) is picture


def test_noise_grows_less_than_the_light() -> None:
    dark = np.clip(25 + RNG.normal(0, 8, (180, 320, 3)), 0, 255).astype(np.uint8)
    light = lightened(dark, 4.0)
    assert light.shape == dark.shape
    assert light.mean() == pytest.approx(4 * dark.mean(), rel=0.05)
    assert light.std() < 1.5 * dark.std()


def test_what_is_light_in_a_dark_picture_does_not_turn_over() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[20:40, 20:40] = 240
    assert lightened(picture, 8.0)[30, 30].tolist() == [255, 255, 255]
