"""The recorded scenes of the fixtures are well: nothing is told of any of them, and what is done to one of them is."""

from collections.abc import Callable, Iterator

import av
import numpy as np
import pytest
from vision_bench import built

from gateway.vision.video.health import Ailment, PictureHealth, Plane
from gateway.vision.video.motion import WIDTH

SCENES = ("gate-640x360.mp4", "empty-640x360.mp4", "unlisted-640x360.mp4")


def planes(scene: str) -> Iterator[Plane]:
    """One luma plane a second, the recording played three times on end."""
    for _ in range(3):
        with av.open(str(built(scene))) as container:
            stream = container.streams.video[0]
            step = max(1, round(float(stream.average_rate or 25)))
            for number, frame in enumerate(container.decode(stream)):
                if number % step == 0:
                    small = frame.reformat(WIDTH, WIDTH * frame.height // frame.width, "gray")
                    yield small.to_ndarray().astype(np.uint8)


def told(pictures: Iterator[Plane]) -> list[tuple[Ailment, bool]]:
    health = PictureHealth()
    return [
        (each.ailment, each.active) for now, plane in enumerate(pictures) for each in health.judge(plane, float(now))
    ]


@pytest.mark.parametrize("scene", SCENES)
def test_a_recorded_scene_is_well(scene: str) -> None:
    assert told(planes(scene)) == []


@pytest.mark.parametrize(
    ("spoil", "ailment"),
    [
        (lambda plane: np.full_like(plane, 3) + np.random.default_rng().integers(0, 3, plane.shape, np.uint8), "dark"),
        (lambda plane: np.roll(plane, (12, 30), (0, 1)), "moved"),
        (lambda plane: plane // 16 + 90, "covered"),
    ],
)
def test_a_scene_that_is_spoilt_is_told(spoil: Callable[[Plane], Plane], ailment: str) -> None:
    def pictures() -> Iterator[Plane]:
        known = list(planes(SCENES[0]))
        yield from known * 2
        yield from (spoil(plane) for plane in known)

    assert (Ailment(ailment), True) in told(pictures())
