"""`check-config` opens a configured face network in a child; a start does not wait for that."""

from pathlib import Path

import pytest
from harness.tiny_embedder import write_tiny_embedder

from gateway.cli.check_config import checked_settings, startable_settings
from gateway.errors import ConfigError


def configured(folder: Path) -> Path:
    """A network whose dimension is not what its TOML says."""
    model = write_tiny_embedder(folder, dimension=25)
    form = model.with_suffix(".toml")
    form.write_text(form.read_text().replace("landmarks", "dlib"))
    text = f'[gateway]\nsite = "east"\n[storage]\ndirectory = "{folder}/s"\n[matching]\nembedder = "{model}"\n'
    (folder / "gateway.toml").write_text(text)
    return form


def test_a_network_of_another_shape_is_said_before_the_start(tmp_path: Path) -> None:
    form = configured(tmp_path)
    with pytest.raises(ConfigError) as refused:
        checked_settings(tmp_path, None, str(tmp_path / "gateway.toml"))
    (fault,) = refused.value.faults
    assert (fault.file, fault.key) == (str(form), "dimension")
    assert "docs/embedders.md" in fault.remedy
    assert startable_settings(tmp_path, None, str(tmp_path / "gateway.toml"))[1] == [], "presses come first"
