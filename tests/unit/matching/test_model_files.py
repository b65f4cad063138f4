import sys

import pytest

from gateway.matching import MissingLibraryError, installed_models, model_files


def test_the_installed_files_are_found_without_importing_their_package() -> None:
    loaded = "face_recognition_models" in sys.modules
    files = installed_models()
    assert files.weights.is_file()
    assert files.predictor.is_file()
    assert ("face_recognition_models" in sys.modules) == loaded


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match="face_recognition_models is not installed"):
        installed_models()
