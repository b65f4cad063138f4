"""The gateway of `doctor privacy` ends with its tracer, also when that one ends first."""

import subprocess
import time
from pathlib import Path

import pytest

from gateway.cli import privacy


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def test_what_a_tracer_leaves_behind_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "_STOP_SECONDS", 0.3)
    command = ["sh", "-c", "trap '' TERM; sleep 60 & trap - TERM; echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        left = int(process.stdout.readline())
        vars(privacy)["_end_group"](process)
    until = time.monotonic() + 5
    while lives(left) and time.monotonic() < until:
        time.sleep(0.02)
    assert not lives(left)
