"""Which views are averaged and which are embedded twice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.matching import Detection, FaceQuality, Shot, Track
from gateway.vision.faces import FaceTools
from gateway.vision.video.views import ViewEmbedder

RNG = np.random.default_rng(3)
FACE = np.kron(RNG.integers(40, 200, (10, 10, 3)), np.ones((15, 15, 1))).astype(np.uint8)


class WholePicture:
    """The picture is the chip; none where the face has no width."""

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        return rgb if face.width else None


class CornerEmbedder:
    """Tells the noise of a chip's two halves."""

    fingerprint = "corners"

    def __init__(self, fingerprint: str = "corners") -> None:
        self.fingerprint = fingerprint
        self.calls: list[int] = []

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(len(chips))
        return np.array([[chip[:, :75].mean(), chip[:, 75:].mean()] for chip in chips], np.float32)


def embedder_of(network: CornerEmbedder) -> ViewEmbedder:
    return ViewEmbedder(FaceTools(None, WholePicture(), network))  # type: ignore[arg-type]  # what the test uses of them


def view(
    track: int, at: float, chip: NDArray[np.uint8], *, height: float = 60.0, width: float = 45.0
) -> tuple[Track, Shot]:
    face = Detection(0, 0, width, height, 0.9)
    quality = FaceQuality(height, 1, 1, 1, 1, 1)
    return Track(track, track, at, at, face), Shot(at, chip, face, quality)


def spoilt() -> NDArray[np.uint8]:
    return np.clip(FACE + RNG.normal(0, 25, FACE.shape), 0, 255).astype(np.uint8)


def walk(views: ViewEmbedder, chips: Sequence[NDArray[np.uint8]], *, dusk: bool) -> list[NDArray[np.float32] | None]:
    return [views.embed([view(1, 0.2 * number, chip)], dusk=dusk)[0] for number, chip in enumerate(chips)]


def test_by_day_a_view_is_embedded_as_it_is_and_once() -> None:
    network = CornerEmbedder()
    chips = [FACE, FACE // 2]
    vectors = walk(embedder_of(network), chips, dusk=False)
    assert network.calls == [1, 1]
    assert [None if each is None else round(float(each[0])) for each in vectors] == [
        round(float(chip[:, :75].mean())) for chip in chips
    ]


def test_at_dusk_the_views_of_a_track_are_averaged_and_no_other_tracks() -> None:
    views = embedder_of(CornerEmbedder())
    dark, light = (FACE * 0.8).astype(np.uint8), FACE
    first, second = walk(views, [dark, light], dusk=True)
    assert first is not None
    assert second is not None
    assert first[0] < second[0] < light[:, :75].mean() - 1
    (other,) = views.embed([view(2, 0.4, light)], dusk=True)
    assert other is not None
    assert other[0] == np.float32(light[:, :75].mean())


def test_who_left_is_forgotten() -> None:
    views = embedder_of(CornerEmbedder())
    walk(views, [(FACE * 0.8).astype(np.uint8)], dusk=True)
    views.keep_only({2})
    (again,) = views.embed([view(1, 0.4, FACE)], dusk=True)
    assert again is not None
    assert again[0] == np.float32(FACE[:, :75].mean())


def test_a_promising_full_sized_view_is_embedded_mirrored_too() -> None:
    network = CornerEmbedder()
    shots = [view(1, 0.0, FACE), view(2, 0.0, FACE), view(3, 0.0, FACE, height=39.0), view(4, 0.0, FACE, width=0.0)]
    both, one, small, none = embedder_of(network).embed(shots, promising={1, 3, 4})
    assert network.calls == [3, 1]
    assert both is not None
    assert one is not None
    assert small is not None
    assert both[0] == both[1] != one[0]
    assert small.tolist() == one.tolist()
    assert none is None


class OneSidedEmbedder(CornerEmbedder):
    """Fails on what is lighter at the right, as a mirrored face is here."""

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = super().embed(chips)
        vectors[vectors[:, 1] > vectors[:, 0]] = np.nan
        return vectors


def test_a_mirrored_view_on_which_the_network_fails_costs_nothing() -> None:
    lopsided = FACE.copy()
    lopsided[:, 75:] //= 2
    shots = [view(1, 0.0, lopsided), view(2, 0.0, lopsided)]
    both, one = embedder_of(OneSidedEmbedder()).embed(shots, promising={1})
    assert both is not None
    assert one is not None
    assert both.tolist() == one.tolist()


def test_where_directions_are_compared_the_mean_has_their_length() -> None:
    (vector,) = embedder_of(CornerEmbedder("m-1-cosine")).embed([view(1, 0.0, FACE)], promising={1})
    (alone,) = embedder_of(CornerEmbedder("m-1-cosine")).embed([view(1, 0.0, FACE)])
    assert vector is not None
    assert alone is not None
    assert np.isclose(np.linalg.norm(vector), np.linalg.norm(alone))
