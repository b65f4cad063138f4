"""The tables of commands in both READMEs: the same commands, and none that there is not."""

import re
from pathlib import Path

import pytest

from gateway.cli.main import app

ROOT = Path(__file__).parents[3]


def commands(readme: str, head: str) -> list[str]:
    """The first cells of the table whose first heading is `head`, each command as it is typed."""
    table = (ROOT / readme).read_text("utf-8").split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^\| (.+?) (?<!\\)\|", table, re.MULTILINE)
    return [each.replace("\\|", "|") for row in rows for each in re.findall(r"`([^`]+)`", row)]


def test_the_chinese_table_has_every_command_of_the_english_one() -> None:
    english = commands("README.md", "command")
    assert {"run", "ca export", "cameras list|report|discover|import"} <= set(english), "the search finds them"
    assert commands("README.zh-CN.md", "命令") == english


@pytest.mark.parametrize("typed", [each for each in commands("README.md", "command") if "simulate" not in each])
def test_every_command_of_the_table_is_there(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, *choices = typed.replace("|", " ").split()
    words = [first, *choices[:1]]
    app([*words, "--help"], standalone_mode=False)
    assert " ".join(words) in capsys.readouterr().out.splitlines()[0]
