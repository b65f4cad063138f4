"""What every face network answers; the one of dlib is held against dlib itself."""

from pathlib import Path

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import (
    BadImageError,
    DlibEmbedder,
    FaceEmbedder,
    ForeignModelError,
    ModelFileError,
    TruncatedModelError,
    installed_models,
)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> FaceEmbedder:
    return DlibEmbedder(installed_models().weights, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def chips() -> NDArray[np.uint8]:
    """33 chips: noise, flat ones and gradients, more than two batches."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (27, 150, 150, 3), dtype=np.uint8)
    flat = np.stack([np.full((150, 150, 3), level, np.uint8) for level in (0, 128, 255)])
    ramp = np.broadcast_to(np.linspace(0, 255, 150)[:, None, None], (150, 150, 3)).astype(np.uint8)
    return np.concatenate([noise, flat, ramp[None], ramp.transpose(1, 0, 2)[None], ramp[None, ::-1]])


def test_vectors_are_dlibs_vectors(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    net = dlib.face_recognition_model_v1(str(installed_models().weights))
    some = np.concatenate([chips[:4], chips[-6:]])
    theirs = np.array(net.compute_face_descriptor(list(some)))
    ours = embedder.embed(some).astype(np.float64)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert np.abs(ours - theirs).max() <= 1e-5
    assert cosines.min() >= 0.999999


def test_a_vector_does_not_depend_on_its_batch(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    together = embedder.embed(chips)
    assert together.shape == (33, embedder.dimension)
    assert together.dtype == np.float32
    for index in (0, 15, 16, 32):
        assert np.allclose(embedder.embed(chips[index : index + 1])[0], together[index], atol=1e-5)


def test_chips_may_be_a_view(embedder: FaceEmbedder, chips: NDArray[np.uint8]) -> None:
    assert np.array_equal(embedder.embed(chips[:4:2, :, ::-1]), embedder.embed(chips[:4:2, :, ::-1].copy()))


def test_no_chips_have_no_vectors(embedder: FaceEmbedder) -> None:
    assert embedder.embed(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, embedder.dimension)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 112, 112, 3), np.uint8),
        np.zeros((1, 3, 150, 150), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
    ],
)
def test_other_shapes_and_types_are_refused(embedder: FaceEmbedder, bad: NDArray[np.uint8]) -> None:
    with pytest.raises(BadImageError, match="chips are"):
        embedder.embed(bad)


def test_it_says_what_it_is(embedder: FaceEmbedder, tmp_path: Path) -> None:
    again = DlibEmbedder(installed_models().weights, tmp_path)
    assert embedder.fingerprint == again.fingerprint
    assert embedder.fingerprint.startswith("dlib-resnet-55533b28a95800a5")
    assert (embedder.dimension, embedder.metric) == (128, "euclidean")


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
