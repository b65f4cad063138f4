"""The mean of a face's latest chips: less noise, and never of two faces."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import ChipMean

RNG = np.random.default_rng(5)


def face(seed: int) -> NDArray[np.uint8]:
    """A chip with coarse light and shade of its own."""
    coarse = np.random.default_rng(seed).integers(40, 200, (10, 10, 3))
    return np.kron(coarse, np.ones((15, 15, 1))).astype(np.uint8)


def noisy(chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.clip(chip + RNG.normal(0, 20, chip.shape), 0, 255).astype(np.uint8)


def error(chip: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    return float((chip.astype(float) - truth).std())


def test_four_chips_have_half_of_the_noise_of_one() -> None:
    truth, mean = face(1), ChipMean(most=4)
    for number in range(8):
        latest = mean.add(0.2 * number, noisy(truth))
    assert error(latest, truth) == pytest.approx(error(noisy(truth), truth) / 2, rel=0.1)


def test_the_first_chip_is_answered_as_it_is() -> None:
    chip = face(1)
    assert ChipMean().add(0.0, chip) is chip


def test_another_face_is_not_mixed_in() -> None:
    mean, other = ChipMean(), face(2)
    mean.add(0.0, face(1))
    assert mean.add(0.2, other) is other
    assert np.array_equal(mean.add(0.4, other), other)


@pytest.mark.parametrize("lamp", [1.0, 3.0])
def test_a_lamp_at_one_side_makes_no_two_faces_alike(lamp: float) -> None:
    """Its shade is most of what a small picture shows of either."""
    shade = np.linspace(1 / lamp, 1, 150)[None, :, None]
    one, other = ((face(seed) * shade).astype(np.uint8) for seed in (1, 2))
    mean = ChipMean()
    mean.add(0.0, one)
    assert mean.add(0.2, other) is other
    assert mean.add(0.4, noisy(one)) is not None
    assert error(mean.add(0.6, noisy(one)), one) < error(noisy(one), one)


@pytest.mark.parametrize("later", [5.0, -5.0])
def test_a_chip_of_another_time_is_left_out(later: float) -> None:
    truth, mean = face(1), ChipMean(seconds=1.5)
    mean.add(10.0, noisy(truth))
    chip = noisy(truth)
    assert mean.add(10.0 + later, chip) is chip


def test_a_chip_of_one_grey_is_like_none() -> None:
    mean, grey = ChipMean(), np.full((150, 150, 3), 90, np.uint8)
    mean.add(0.0, face(1))
    assert mean.add(0.1, grey) is grey
