"""What `check-config` is told of a face network by the child that opens it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from harness.tiny_embedder import write_tiny_embedder

from gateway.vision.model_check import check_models


def checked(model: Path) -> list[dict[str, str]]:
    asked = {"matching": {"embedder": str(model)}, "models_directory": str(model.parent)}
    answer = io.StringIO()
    status = check_models(io.StringIO(json.dumps(asked)), answer)
    faults: list[dict[str, str]] = json.loads(answer.getvalue())["faults"]
    assert status == (1 if faults else 0)
    return faults


@pytest.mark.parametrize(
    ("change", "key", "what"),
    [
        (('sha256 = "', 'sha256 = "' + "0" * 64 + '" # '), "sha256", "the file beside it has "),
        (("dimension = 24", "dimension = 25"), "dimension", "the network answers (1, 24), the file says (n, 25)"),
        (("size = 48", "size = 64"), "input", "the network takes ["),
        (('"dlib"', '"landmarks"'), "alignment.points", "the detector HOG gives no landmarks"),
        (("metric", "metrik"), "metric", "the key is missing"),
    ],
)
def test_each_fault_has_file_key_and_remedy(tmp_path: Path, change: tuple[str, str], key: str, what: str) -> None:
    model = write_tiny_embedder(tmp_path)
    form = model.with_suffix(".toml")
    form.write_text(form.read_text().replace('"landmarks"', '"dlib"').replace(*change))
    fault = checked(model)[0]
    assert (fault["file"], fault["key"]) == (str(form), key)
    assert fault["what"].startswith(what)
    assert fault["remedy"].endswith(".")


def test_a_file_that_is_no_network_is_a_fault_of_the_file(tmp_path: Path) -> None:
    model = write_tiny_embedder(tmp_path)
    form = model.with_suffix(".toml")
    form.write_text(form.read_text().replace('"landmarks"', '"dlib"'))
    assert checked(model) == []
    model.unlink()
    fault: dict[str, Any] = checked(model)[0]
    assert (fault["file"], fault["key"]) == (str(model), "")
