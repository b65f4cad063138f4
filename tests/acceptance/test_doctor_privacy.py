"""``campus-gateway doctor privacy`` on real scenes: clean where nobody listed passes, and able to say otherwise."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from vision_bench import built, yunet_file

pytestmark = pytest.mark.timeout(170)


def doctor(scene: Path, portrait: Path, passages: int = 1) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "doctor", "privacy", "--json", "--passages", str(passages)]
    command += ["--scene", str(scene), "--listed", str(portrait), "--models", str(yunet_file().parent)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def still_running(folder: str) -> list[bytes]:
    """Command lines of processes that name the folder."""
    lines = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(each.read_bytes())
    return [line for line in lines if folder.encode() in line]


def test_people_who_are_on_no_list_leave_no_trace() -> None:
    done = doctor(built("unlisted-640x360.mp4"), built("portraits/obama.jpg"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)[0]
    assert report["passages"] >= 1
    assert any(name.endswith("journal.db") for name in report["files"])
    assert not report["traces"]
    folder = next(name for name in report["files"] if name.endswith("journal.db")).removesuffix("/state/journal.db")
    assert not still_running(folder), "the gateway of the trial ends with it, also under strace"


@pytest.mark.long
def test_somebody_on_the_list_leaves_traces_and_they_are_found() -> None:
    done = doctor(built("gate-640x360.mp4"), built("portraits/obama.jpg"), passages=5)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)[0]
    assert report["matches"] >= 1
    assert {each["what"] for each in report["traces"]} == {"a match"}


def test_a_scene_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = doctor(tmp_path / "none.mp4", tmp_path / "none.jpg")
    assert done.returncode == 3, "1 says that a trace is left"
    assert "none.mp4: there is no such file" in done.stderr
