"""What every face network answers; the one of dlib is held against dlib itself."""

from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import pytest
from harness.tiny_embedder import write_tiny_embedder
from numpy.typing import NDArray

from gateway.matching import (
    BadImageError,
    DlibEmbedder,
    FaceEmbedder,
    ForeignModelError,
    ModelFileError,
    OnnxEmbedder,
    TruncatedModelError,
    installed_models,
)
from gateway.settings import load_embedder


def open_dlib(folder: Path) -> FaceEmbedder:
    return DlibEmbedder(installed_models().weights, folder)


def open_dlib_int8(folder: Path) -> FaceEmbedder:
    return DlibEmbedder(installed_models().weights, folder, "int8")


def open_cosine(folder: Path) -> FaceEmbedder:
    model = write_tiny_embedder(folder, metric="cosine", layout="nchw")
    return OnnxEmbedder(model, load_embedder(model))


def open_euclidean(folder: Path) -> FaceEmbedder:
    model = write_tiny_embedder(folder, metric="euclidean", layout="nhwc", channels="bgr", threshold=1.2)
    return OnnxEmbedder(model, load_embedder(model))


def open_one_by_one(folder: Path) -> FaceEmbedder:
    model = write_tiny_embedder(folder, metric="cosine", batch=1)
    return OnnxEmbedder(model, load_embedder(model))


EMBEDDERS = [open_dlib, open_dlib_int8, open_cosine, open_euclidean, open_one_by_one]


@pytest.fixture(scope="module", params=EMBEDDERS, ids=lambda found: found.__name__.removeprefix("open_"))
def opener(request: pytest.FixtureRequest) -> Callable[[Path], FaceEmbedder]:
    found: Callable[[Path], FaceEmbedder] = request.param
    return found


@pytest.fixture(scope="module")
def embedder(opener: Callable[[Path], FaceEmbedder], tmp_path_factory: pytest.TempPathFactory) -> FaceEmbedder:
    return opener(tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def dlibs(tmp_path_factory: pytest.TempPathFactory) -> FaceEmbedder:
    return open_dlib(tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def chips(embedder: FaceEmbedder) -> NDArray[np.uint8]:
    return chips_of(embedder.chip_side)


def chips_of(side: int) -> NDArray[np.uint8]:
    """33 chips: noise, flat ones and gradients, more than two batches."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (27, side, side, 3), dtype=np.uint8)
    flat = np.stack([np.full((side, side, 3), level, np.uint8) for level in (0, 128, 255)])
    ramp = np.broadcast_to(np.linspace(0, 255, side)[:, None, None], (side, side, 3)).astype(np.uint8)
    return np.concatenate([noise, flat, ramp[None], ramp.transpose(1, 0, 2)[None], ramp[None, ::-1]])


def test_dlibs_vectors_are_dlibs_vectors(dlibs: FaceEmbedder) -> None:
    net = dlib.face_recognition_model_v1(str(installed_models().weights))
    chips = chips_of(150)
    some = np.concatenate([chips[:4], chips[-6:]])
    theirs = np.array(net.compute_face_descriptor(list(some)))
    ours = dlibs.embed(some).astype(np.float64)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert np.abs(ours - theirs).max() <= 1e-5
    assert cosines.min() >= 0.999999


def test_a_vector_does_not_depend_on_its_batch(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    together = embedder.embed(chips)
    assert together.shape == (33, embedder.dimension)
    assert together.dtype == np.float32
    for index in (0, 15, 16, 32):
        assert np.allclose(embedder.embed(chips[index : index + 1])[0], together[index], atol=1e-5)


def test_vectors_of_different_chips_differ(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    vectors = embedder.embed(chips)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors[0] - vectors[-1]) > 0.01


def test_chips_may_be_a_view(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    assert np.array_equal(embedder.embed(chips[:4:2, :, ::-1]), embedder.embed(chips[:4:2, :, ::-1].copy()))


def test_the_order_of_colours_counts(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    assert np.abs(embedder.embed(chips[:1]) - embedder.embed(chips[:1, :, :, ::-1])).max() > 1e-3


def test_no_chips_have_no_vectors(embedder: FaceEmbedder) -> None:
    side = embedder.chip_side
    assert embedder.embed(np.empty((0, side, side, 3), np.uint8)).shape == (0, embedder.dimension)


def test_other_shapes_and_types_are_refused(embedder: FaceEmbedder) -> None:
    side = embedder.chip_side
    bad: list[NDArray[np.generic]] = [
        np.zeros((side, side, 3), np.uint8),
        np.zeros((1, side - 1, side - 1, 3), np.uint8),
        np.zeros((1, 3, side, side), np.uint8),
        np.zeros((1, side, side, 3), np.float32),
    ]
    for chips in bad:
        with pytest.raises(BadImageError, match="chips are"):
            embedder.embed(chips)  # type: ignore[arg-type]  # that is the point


def test_its_fingerprint_is_the_same_when_opened_again(
    opener: Callable[[Path], FaceEmbedder], embedder: FaceEmbedder, tmp_path: Path
) -> None:
    assert opener(tmp_path).fingerprint == embedder.fingerprint
    assert embedder.fingerprint.endswith("-cosine") == (embedder.metric == "cosine")


def test_no_two_embedders_have_one_fingerprint(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = {each(tmp_path_factory.mktemp("graphs")).fingerprint for each in EMBEDDERS}
    assert len(found) == len(EMBEDDERS)


def test_vectors_of_a_cosine_network_have_one_length(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    lengths = np.linalg.norm(embedder.embed(chips), axis=1)
    assert (np.ptp(lengths) < 1e-5) == (embedder.metric == "cosine")


def test_dlibs_says_what_it_is(dlibs: FaceEmbedder) -> None:
    assert dlibs.fingerprint.startswith("dlib-resnet-55533b28a95800a5")
    assert (dlibs.chip_side, dlibs.dimension, dlibs.metric) == (150, 128, "euclidean")


def test_wrong_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        DlibEmbedder(tmp_path / "none.dat", tmp_path)
    text = tmp_path / "text.dat"
    text.write_text("not weights")
    with pytest.raises(ForeignModelError, match=r"text\.dat"):
        DlibEmbedder(text, tmp_path)
    cut = tmp_path / "cut.dat"
    cut.write_bytes(installed_models().weights.read_bytes()[:200_000])
    with pytest.raises(TruncatedModelError, match=r"cut\.dat"):
        DlibEmbedder(cut, tmp_path)
