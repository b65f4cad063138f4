"""A command is imported when it is asked for, and the list of commands imports none."""

import subprocess
import sys

import pytest

from gateway.cli.main import app


def loaded(*words: str) -> set[str]:
    """The modules that a command has imported at its end, in a process of its own."""
    program = (
        "import sys; from gateway.cli.main import app; app(sys.argv[1:], standalone_mode=False);"
        " print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_the_list_and_the_status_load_no_part_of_the_daemon() -> None:
    assert "gateway.cli.status" not in loaded("--help")
    told = loaded("status", "--help")
    assert "gateway.cli.status" in told
    assert not told & {"fastapi", "gateway.api", "gateway.daemon", "numpy", "cv2", "av"}


@pytest.mark.parametrize(("typed", "meant"), [("stat", "'status'"), ("chek-config", "'check-config'")])
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(Exception, match=f"Did you mean .*{meant}"):
        app([typed], standalone_mode=False)


def test_each_command_of_the_table_can_be_asked_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    app(["--help"], standalone_mode=False)
    names = [line.split()[0] for line in capsys.readouterr().out.partition("Commands:\n")[2].splitlines()]
    assert len(names) == 17
    for name in set(names) - {"simulate"}:
        app([name, "--help"], standalone_mode=False)
        assert f" {name} [OPTIONS]" in capsys.readouterr().out
