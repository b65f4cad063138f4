"""`python -m gateway.simulators camera` as a user or a parent process meets it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.simulators.camera import write_test_recording

COMMAND = [sys.executable, "-m", "gateway.simulators"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("command") / "squares.mp4", frames=12)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_it_says_ready_with_both_addresses_and_ends_on_sigterm(recording: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "camera", "--recording", str(recording)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        line = child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
        assert child.stderr.read() == ""

    word, onvif, rtsp = line.split()
    assert word == "ready"
    assert onvif.startswith("onvif://127.0.0.1:")
    assert rtsp.startswith("rtsp://127.0.0.1:")


def test_without_a_recording_it_shows_a_test_picture_and_ends_with_its_parent() -> None:
    with subprocess.Popen(
        [*COMMAND, "camera", "--exit-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith("ready onvif://")
        child.stdin.close()
        assert child.wait(20) == 0
        assert "test picture" in child.stderr.read()


def test_the_quirks_are_listed() -> None:
    done = _run("camera", "--list-quirks")

    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"wrong-host", "http-digest", "zulu-only", "clock-off=3600", "frozen", "stall=5"} <= set(names)


def test_mistakes_are_said_in_one_line_without_a_traceback(recording: Path, tmp_path: Path) -> None:
    wrong = [
        (["camera", "--recording", str(tmp_path / "none.mp4")], 1, "none.mp4"),
        (["camera", "--recording", str(recording), "--quirk", "slow"], 1, "unknown quirk 'slow'"),
        (["camera", "--recording", str(recording), "--password-file", str(tmp_path / "none")], 1, "password file"),
        (["toaster"], 2, "camera, button, panel, office, police"),
        ([], 2, "name one of"),
    ]
    for arguments, code, said in wrong:
        done = _run(*arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert said in done.stderr
        assert "Traceback" not in done.stderr
