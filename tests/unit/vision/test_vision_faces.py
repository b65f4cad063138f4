"""Which tools the settings open."""

from pathlib import Path

import numpy as np
import pytest
from harness.tiny_embedder import write_tiny_embedder
from numpy.typing import NDArray

from gateway.errors import ConfigError
from gateway.matching import Detection, ModelFileError, NoVectorError, OnnxEmbedder, TemplateAligner
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools, open_tools


def by_dlibs_points(model: Path) -> None:
    toml = model.with_suffix(".toml")
    toml.write_text(toml.read_text().replace('points = "landmarks"', 'points = "dlib"'))


def test_a_configured_embedder_takes_dlibs_place(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path)
    by_dlibs_points(model)
    tools = open_tools(MatchingSettings(embedder=model), tmp_path, longest_side=640)
    assert isinstance(tools.embedder, OnnxEmbedder)
    assert isinstance(tools.aligner, TemplateAligner)
    picture = np.random.default_rng(4).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    (vector,) = tools.vectors([(picture, Detection(60, 50, 60, 80, 0.9))])
    assert vector is not None
    assert vector.shape == (24,)


def test_hog_cannot_serve_a_template_of_landmarks(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path)
    with pytest.raises(ModelFileError, match=r"tiny\.toml: alignment\.points: .*HOG.*models install"):
        open_tools(MatchingSettings(embedder=model), tmp_path, longest_side=640)


def test_a_fault_of_the_toml_is_said_as_one(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path, dimension=1)
    with pytest.raises(ConfigError, match=r"tiny\.toml: dimension"):
        open_tools(MatchingSettings(embedder=model), tmp_path, longest_side=640)


class CountingEmbedder:
    """Notes how many chips came at once."""

    fingerprint = "counting"

    def __init__(self, answer: float | None = None) -> None:
        self.calls: list[int] = []
        self._answer = answer

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(len(chips))
        if self._answer is not None:
            return np.full((len(chips), 4), self._answer, np.float32)
        return chips.reshape(len(chips), -1)[:, :4].astype(np.float32)


class OddAligner:
    """Cannot place a face whose box begins at x = 0."""

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        return None if face.x == 0 else rgb[:4, :4]


def test_faces_are_embedded_together_and_keep_their_order() -> None:
    embedder = CountingEmbedder()
    tools = FaceTools(None, OddAligner(), embedder)  # type: ignore[arg-type]  # what the test uses of them
    pictures = [np.full((8, 8, 3), shade, np.uint8) for shade in range(5)]
    vectors = tools.vectors([(picture, Detection(index % 3, 0, 4, 4, 1.0)) for index, picture in enumerate(pictures)])
    assert embedder.calls == [3]
    assert [None if vector is None else int(vector[0]) for vector in vectors] == [None, 1, 2, None, 4]
    assert tools.vectors([]) == []


@pytest.mark.parametrize("answer", [np.nan, np.inf, 0.0])
def test_what_is_no_vector_is_an_error_and_near_nobody(answer: float) -> None:
    embedder = CountingEmbedder(answer)
    tools = FaceTools(None, OddAligner(), embedder)  # type: ignore[arg-type]  # what the test uses of them
    face = (np.full((8, 8, 3), 9, np.uint8), Detection(1, 0, 4, 4, 1.0))
    with pytest.raises(NoVectorError, match="gave no vector"):
        tools.vectors([face, face])


class HalvesEmbedder(CountingEmbedder):
    """Tells the shades of a chip's two sides."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([[chip[0, 0, 0], chip[0, -1, 0]] for chip in chips], np.float32)


@pytest.mark.parametrize(("fingerprint", "template"), [("m-1", [70, 70]), ("m-1-cosine", [50 * 2**0.5, 50 * 2**0.5])])
def test_a_template_is_of_the_photo_and_its_mirror_image(fingerprint: str, template: list[float]) -> None:
    tools = FaceTools(None, OddAligner(), HalvesEmbedder(fingerprint))  # type: ignore[arg-type]  # what the test uses
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, :2], picture[:, 2:] = (60, 80)[:: 1 if fingerprint == "m-1" else -1]
    vector = tools.template(picture, Detection(1, 0, 4, 4, 1.0))
    assert vector is not None
    assert vector.tolist() == pytest.approx(template)
    assert tools.template(picture, Detection(0, 0, 4, 4, 1.0)) is None
