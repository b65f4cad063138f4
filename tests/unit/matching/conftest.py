"""The models and portraits that tests of matching use, found or skipped with the reason."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import (
    DlibEmbedder,
    FivePointAligner,
    HogDetector,
    ModelFiles,
    YuNetDetector,
    installed_models,
)

_REPOSITORY = Path(__file__).parents[3]
_MODELS = Path(os.environ.get("GATEWAY_TEST_MODELS", _REPOSITORY.parent / "shared" / "models"))
_PORTRAITS = Path(os.environ.get("GATEWAY_TEST_PORTRAITS", _REPOSITORY / "fixtures" / "build" / "portraits"))

Portrait = Callable[[str], NDArray[np.uint8]]


@pytest.fixture(scope="session")
def models() -> ModelFiles:
    return installed_models()


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    path = _MODELS / "yunet_n_dynamic.onnx"
    if not path.is_file():
        pytest.skip("YuNet's model file is not in ../shared/models (or GATEWAY_TEST_MODELS)")
    return path


@pytest.fixture(scope="session")
def yunet(yunet_file: Path) -> YuNetDetector:
    return YuNetDetector(yunet_file)


@pytest.fixture(scope="session")
def hog() -> HogDetector:
    return HogDetector()


@pytest.fixture(scope="session")
def aligner(models: ModelFiles) -> FivePointAligner:
    return FivePointAligner(models.predictor)


@pytest.fixture(scope="session")
def embedder(models: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> DlibEmbedder:
    return DlibEmbedder(models.weights, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    """Reads a portrait by name as (h, w, 3) RGB."""

    def read(name: str) -> NDArray[np.uint8]:
        path = _PORTRAITS / f"{name}.jpg"
        if not path.is_file():
            pytest.skip(
                "the portraits are not built: run the recipe in fixtures/ (fixtures/build/portraits is missing)"
            )
        bgr = cv2.imread(str(path))
        assert bgr is not None
        return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)

    return read
