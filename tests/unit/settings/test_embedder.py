"""The TOML beside an embedder: every fault is named with file, key and remedy."""

from pathlib import Path

import pytest
from harness.tiny_embedder import write_tiny_embedder

from gateway.cli.check_config import further_faults
from gateway.errors import ConfigError
from gateway.settings import load_embedder, parse_settings


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_embedder(tmp_path)


def faults(model: Path, old: str, new: str) -> list[str]:
    toml = model.with_suffix(".toml")
    changed = toml.read_text().replace(old, new)
    assert changed != toml.read_text()
    toml.write_text(changed)
    with pytest.raises(ConfigError) as caught:
        load_embedder(model)
    return [str(fault) for fault in caught.value.faults]


def test_what_is_written_is_read(model: Path) -> None:
    read = load_embedder(model)
    assert (read.name, read.dimension, read.metric, read.threshold) == ("tiny", 24, "cosine", 0.4)
    assert (read.input.size, read.input.scale) == (48, 0.0078125)
    assert read.alignment.template[3] == (18.0, 36.0)


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "embedders.md").read_text("utf-8")
    (tmp_path / "network.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    assert load_embedder(tmp_path / "network.onnx").metric == "cosine"


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ('name = "tiny"\n', "", "name", "the key is missing"),
        ('name = "tiny"', 'name = "a b"', "name", "match"),
        ("dimension = 24", 'dimension = "24"', "dimension", "integer"),
        ("dimension = 24", "dimension = 24.5", "dimension", "integer"),
        ('metric = "cosine"', 'metric = "manhattan"', "metric", "euclidean"),
        ("threshold = 0.4", "threshold = 1.4", "threshold", "a cosine similarity"),
        ("threshold = 0.4", "threshold = nan", "threshold", "number"),
        ("threshold = 0.4", "threshhold = 0.4", "threshhold", "not permitted"),
        ("scale = 0.0078125", "scale = 0", "input.scale", "greater than 0"),
        ("mean = [127.5, 127.5, 127.5]", "mean = [127.5]", "input.mean.1", "missing"),
        ("[16, 19], ", "", "alignment.template.4", "missing"),
        ("[16, 19]", "[32, 19]", "alignment", "lie on one another"),
        ("[16, 19]", '["a", 19]', "alignment.template.0.0", "number"),
        ('sha256 = "', 'sha256 = "F', "sha256", "match"),
    ],
)
def test_a_fault_names_file_key_and_remedy(model: Path, old: str, new: str, key: str, what: str) -> None:
    found = faults(model, old, new)
    matching = [fault for fault in found if f"tiny.toml: {key}: " in fault]
    assert matching, found
    assert what in matching[0]
    assert "docs/embedders.md" in matching[0]


def test_no_file_and_no_toml_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file beside the model"):
        load_embedder(tmp_path / "none.onnx")
    (tmp_path / "none.toml").write_text("name = ")
    with pytest.raises(ConfigError, match=r"none\.toml: not TOML"):
        load_embedder(tmp_path / "none.onnx")
    (tmp_path / "none.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"none\.toml: it cannot be read"):
        load_embedder(tmp_path / "none.onnx")


def test_check_config_reads_the_toml_as_well(model: Path) -> None:
    tree = {"gateway": {"site": "east"}, "matching": {"embedder": str(model)}}
    settings = parse_settings(tree)
    assert list(further_faults(settings, "gateway.toml")) == []
    model.with_suffix(".toml").write_text("")
    assert "name" in {fault.key for fault in further_faults(settings, "gateway.toml")}
    model.unlink()
    assert "matching.embedder" in {fault.key for fault in further_faults(settings, "gateway.toml")}


@pytest.mark.parametrize(
    ("matching", "said"),
    [
        ({"embedder": "network.bin"}, "ends in .onnx"),
        ({"embedder": "network.onnx", "precision": "int8"}, "precision is of dlib's own network"),
        ({"precision": "int4"}, "'fp32' or 'int8'"),
    ],
)
def test_settings_that_contradict_are_refused(matching: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_settings({"gateway": {"site": "east"}, "matching": matching})
