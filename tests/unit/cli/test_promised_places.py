"""What remedies and the unit point to is there."""

import argparse
from pathlib import Path

import pytest

from gateway.cli.models import YUNET, _keep
from gateway.errors import PermanentError
from gateway.simulators.button import _parser

CONFIG = Path(__file__).parents[3] / "config"


def test_the_sample_explains_the_input_of_a_homie_button() -> None:
    lines = (CONFIG / "gateway.toml").read_text().splitlines()
    homie = next(number for number, line in enumerate(lines) if line.startswith('#   dialect = "homie4"'))
    assert lines[homie + 1].startswith('#   input = "')


def test_the_unit_points_to_the_page_that_the_installation_brings() -> None:
    (line,) = [
        each for each in (CONFIG / "campus-gateway.service").read_text().splitlines() if "Documentation=" in each
    ]
    assert line == "Documentation=file:/opt/campus-gateway/README.md"
    assert "git clone SOURCE /opt/campus-gateway" in (CONFIG.parent / "docs" / "install.md").read_text()
    assert (CONFIG.parent / "README.md").is_file()


def test_a_wrong_model_file_is_told_where_the_right_one_is(tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as refused:
        _keep(YUNET, tmp_path, b"another", "FILE")
    assert YUNET.url in refused.value.remedy


def test_every_option_of_the_simulated_button_is_explained() -> None:
    assert all(each.help and each.help is not argparse.SUPPRESS for each in _parser()._actions)
