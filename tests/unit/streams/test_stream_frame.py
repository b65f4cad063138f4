"""Pictures are converted as asked."""

import numpy as np
import pytest

from gateway.streams import Frame


@pytest.fixture
def picture() -> Frame:
    rgb = np.zeros((90, 160, 3), np.uint8)
    rgb[:, 80:] = (250, 120, 10)
    return Frame.from_rgb(rgb)


def test_full_size_rgb_is_the_picture_itself(picture: Frame) -> None:
    rgb = picture.rgb()
    assert rgb.shape == (90, 160, 3)
    assert rgb.dtype == np.uint8
    assert tuple(rgb[45, 120]) == (250, 120, 10)


def test_shrinking_keeps_the_proportions(picture: Frame) -> None:
    assert picture.rgb(width=80).shape == (45, 80, 3)
    assert picture.luma(width=33).shape == (19, 33)
    assert np.abs(picture.rgb(80)[20, 60].astype(int) - (250, 120, 10)).max() <= 3


def test_nothing_is_enlarged(picture: Frame) -> None:
    assert picture.rgb(width=1000).shape == (90, 160, 3)


def test_luma_is_grey_of_full_range(picture: Frame) -> None:
    luma = picture.luma()
    assert luma.shape == (90, 160)
    assert luma[45, 20] <= 2
    white = Frame.from_rgb(np.full((16, 16, 3), 255, np.uint8)).luma()
    assert white.min() >= 253


def test_each_call_gives_an_array_of_its_own(picture: Frame) -> None:
    first = picture.rgb()
    first[:] = 0
    assert picture.rgb()[45, 120, 0] == 250


def test_the_tables_of_sizes_that_were_asked_for_once_are_let_go(picture: Frame) -> None:
    for width in range(1, 150):
        picture.rgb(width)
        assert picture.luma(33).shape == (19, 33)
    assert len(picture._converter._kept) <= 8
    assert ("gray", 33, 19) in picture._converter._kept
