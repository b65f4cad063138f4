import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from gateway.matching import ModelFileError, ModelFiles
from gateway.matching.graph_cache import GraphSource


@pytest.fixture(scope="module")
def built(models: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return GraphSource(models.weights, tmp_path_factory.mktemp("built")).load(1)


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.fixture
def filled(built: bytes, models: ModelFiles, tmp_path: Path) -> GraphSource:
    """A source whose cache folder holds the graph already."""
    source = GraphSource(models.weights, tmp_path)
    (tmp_path / f"{source.sha256}-v1.onnx").write_bytes(built)
    return source


def test_the_graph_is_kept_under_the_sum_and_the_version(models: ModelFiles, tmp_path: Path) -> None:
    source = GraphSource(models.weights, tmp_path / "new" / "folder")
    data = source.load(3)
    path = the_file(tmp_path / "new" / "folder")
    assert path.name == f"{source.sha256}-v3.onnx"
    assert path.read_bytes() == data


def test_the_kept_graph_is_used(filled: GraphSource, built: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphSource, "_build", lambda _: pytest.fail("built although it is kept"))
    assert filled.load(1) == built


@pytest.mark.parametrize(
    "damage", [lambda d: d[:1000], lambda d: b"", lambda d: d[:500] + b"?" + d[501:], lambda d: d + b"x"]
)
def test_a_damaged_graph_is_built_again(
    filled: GraphSource, built: bytes, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = the_file(tmp_path)
    path.write_bytes(damage(built))
    assert filled.load(1) == built
    assert path.read_bytes() == built


def test_the_kept_file_is_an_onnx_model(built: bytes) -> None:
    model = onnx.load_from_string(built)
    onnx.checker.check_model(model)
    assert [entry.key for entry in model.metadata_props] == ["sha256"]


def test_what_a_killed_process_left_is_cleared_and_what_is_being_written_stays(
    filled: GraphSource, built: bytes, tmp_path: Path
) -> None:
    left, written = tmp_path / ".graph-left", tmp_path / ".graph-written"
    for each in (left, written):
        each.write_bytes(b"half")
    two_hours_ago = time.time() - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    assert filled.load(1) == built
    assert not left.exists()
    assert written.exists()


def test_a_folder_that_takes_no_file_costs_a_warning_only(
    models: ModelFiles, built: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert GraphSource(models.weights, tmp_path / "taken").load(1) == built
    assert "could not be kept" in caplog.text


def test_a_missing_weights_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="Install face_recognition_models"):
        GraphSource(tmp_path / "none.dat", tmp_path)
