"""Finds the model files that the package face_recognition_models brings, without importing it."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gateway.matching.faults import MissingLibraryError


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The two files that recognition needs: the face network's weights and the 5-point predictor."""

    weights: Path
    predictor: Path


def installed_models() -> ModelFiles:
    """The files of the installed package; importing it would need pkg_resources, which is deprecated.

    Raises:
        MissingLibraryError: the package is not installed.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise MissingLibraryError("face_recognition_models is not installed", remedy="Install it with pip")
    folder = Path(next(iter(spec.submodule_search_locations))) / "models"
    return ModelFiles(
        weights=folder / "dlib_face_recognition_resnet_model_v1.dat",
        predictor=folder / "shape_predictor_5_face_landmarks.dat",
    )
