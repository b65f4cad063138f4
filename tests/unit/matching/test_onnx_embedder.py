from pathlib import Path

import numpy as np
import pytest
from harness.tiny_embedder import DIMENSION, SIDE, write_tiny_embedder
from numpy.typing import NDArray

from gateway.matching import ForeignModelError, Gallery, Look, ModelFileError, OnnxEmbedder, TemplateRow, weigh_looks
from gateway.settings import load_embedder

RNG = np.random.default_rng(2)
CHIPS = RNG.integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


def opened(model: Path) -> OnnxEmbedder:
    return OnnxEmbedder(model, load_embedder(model))


def raw(model: Path, chips: NDArray[np.uint8], *, bgr: bool = False) -> NDArray[np.float64]:
    """The network's own answer, computed by another way than the embedder's."""
    import onnx  # noqa: PLC0415 - costs 1 s
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    planes = ((chips[..., ::-1] if bgr else chips).astype(np.float32) - 127.5) * 0.0078125
    (found,) = ReferenceEvaluator(onnx.load(model)).run(None, {"face": planes.transpose(0, 3, 1, 2)})
    return np.asarray(found, np.float64)


def test_a_similarity_is_a_distance_and_the_threshold_is_0_6(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path, metric="cosine", threshold=0.3)
    theirs = raw(model, CHIPS)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = opened(model).embed(CHIPS).astype(np.float64)
    for a, b in ((0, 1), (0, 4), (2, 3)):
        distance = np.linalg.norm(ours[a] - ours[b])
        similarity = theirs[a] @ theirs[b]
        assert distance == pytest.approx(0.6 * np.sqrt((1 - similarity) / (1 - 0.3)), abs=1e-5)


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_a_euclidean_distance_is_told_in_shares_of_the_threshold(tmp_path: Path, channels: str) -> None:
    model = write_tiny_embedder(tmp_path, metric="euclidean", channels=channels, threshold=2.0)  # type: ignore[arg-type]
    theirs = raw(model, CHIPS, bgr=channels == "bgr")
    ours = opened(model).embed(CHIPS)
    assert np.allclose(ours, theirs * 0.3, atol=1e-5)


def test_layouts_are_one_network(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    planes = opened(write_tiny_embedder(tmp_path, layout="nchw"))
    pixels = opened(write_tiny_embedder(tmp_path / "a", layout="nhwc"))
    assert np.allclose(planes.embed(CHIPS), pixels.embed(CHIPS), atol=1e-6)


def test_the_gallery_finds_who_has_the_most_similar_direction(tmp_path: Path) -> None:
    embedder = opened(write_tiny_embedder(tmp_path))
    vectors = embedder.embed(CHIPS)
    rows = [TemplateRow(f"p{index}", f"t{index}", vector) for index, vector in enumerate(vectors)]
    gallery = Gallery.build(rows, fingerprint=embedder.fingerprint, dimension=embedder.dimension)
    noisy = np.clip(CHIPS[2:3] + RNG.normal(0, 20, CHIPS[2:3].shape), 0, 255).astype(np.uint8)
    probe = embedder.embed(noisy)
    order = [candidate.person for candidate in gallery.identify(probe, 9.0, 5)[0]]
    cosines = (vectors @ probe[0]).argsort()[::-1]
    assert order == [f"p{index}" for index in cosines]
    assert order[0] == "p2"


def test_the_mean_of_directions_has_their_length(tmp_path: Path) -> None:
    embedder = opened(write_tiny_embedder(tmp_path, threshold=0.0))
    vectors = np.zeros((3, embedder.dimension), np.float32)
    vectors[:, :3] = np.eye(3) * np.linalg.norm(embedder.embed(CHIPS[:1]))
    gallery = Gallery.build(
        [TemplateRow("p", "t", vectors[2])], fingerprint=embedder.fingerprint, dimension=embedder.dimension
    )
    looks = [Look(vector, 100, 1.0) for vector in vectors[:2]]
    evidence = weigh_looks(gallery, looks, reach=9)
    assert evidence.mean[0].distance == pytest.approx(evidence.opinions[0].candidates[0].distance, abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new"),
    [("threshold = 0.4", "threshold = 0.5"), ("scale = 0.0078125", "scale = 0.01"), ("[16, 19]", "[17, 19]")],
)
def test_a_changed_recipe_is_another_model(tmp_path: Path, old: str, new: str) -> None:
    model = write_tiny_embedder(tmp_path)
    before = opened(model).fingerprint
    toml = model.with_suffix(".toml")
    toml.write_text(toml.read_text().replace(old, new))
    assert opened(model).fingerprint != before
    assert before.startswith("tiny-")


def test_a_changed_file_is_refused_by_its_sum(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path)
    model.write_bytes(model.read_bytes() + b"\x72\x00")
    with pytest.raises(ForeignModelError, match=r"tiny\.toml: sha256: .*Put the model there"):
        opened(model)


def test_a_missing_or_foreign_model_is_named(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path)
    settings = load_embedder(model)
    model.unlink()
    with pytest.raises(ModelFileError, match=r"tiny\.onnx: cannot be read .*matching\.embedder"):
        OnnxEmbedder(model, settings)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("size = 48", "size = 64", r"input: the network takes .*48"),
        ('layout = "nchw"', 'layout = "nhwc"', r"input: the network takes"),
        (f"dimension = {DIMENSION}", "dimension = 99", r"dimension: the network answers \(1, 24\)"),
    ],
)
def test_a_network_of_another_shape_than_stated_is_refused_at_start(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    model = write_tiny_embedder(tmp_path)
    toml = model.with_suffix(".toml")
    toml.write_text(toml.read_text().replace(old, new))
    with pytest.raises(ForeignModelError, match=rf"tiny\.toml: {said}.*docs/embedders"):
        opened(model)


def test_a_network_of_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignModelError, match="exactly 4 chips"):
        opened(write_tiny_embedder(tmp_path, batch=4))


def test_a_network_may_take_pixels_as_they_are(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path, pixels=True)
    vectors = opened(model).embed(CHIPS)
    assert np.linalg.norm(vectors[0] - vectors[1]) > 1e-3
    toml = model.with_suffix(".toml")
    toml.write_text(toml.read_text().replace("mean = [0, 0, 0]", "mean = [0, 0, 7]"))
    with pytest.raises(ForeignModelError, match="mean must be 0 and scale 1"):
        opened(model)


def test_a_network_that_answers_the_same_whatever_it_is_shown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignModelError, match="the same whatever it is shown"):
        opened(write_tiny_embedder(tmp_path, size=0.0))


def test_a_network_that_overflows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignModelError, match="no finite numbers"):
        opened(write_tiny_embedder(tmp_path, size=5e37))
