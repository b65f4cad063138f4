"""The demo as a newcomer runs it: within half a minute a press and a face warning have reached the office."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENE = ROOT / "fixtures" / "build" / "gate-640x360.mp4"
YUNET = ROOT.parent / "shared" / "models" / "yunet_n_dynamic.onnx"
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not SCENE.exists(), reason="the scenes are not made: make fixtures"),
]


def run_demo(models: Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "demo", "--offline", "--seconds", "0.5", "--models", str(models)]
    environment = os.environ | {"HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=150, env=environment, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("detector", ["YuNet", "HOG"])
def test_a_press_and_a_face_warning_go_the_whole_way(tmp_path: Path, detector: str) -> None:
    models, home = tmp_path / "models", tmp_path / "home"
    models.mkdir()
    home.mkdir()
    if detector == "YuNet":
        if not YUNET.exists():
            pytest.skip("the detector's model is not provided beside the project")
        shutil.copy(YUNET, models)
    done = run_demo(models, home)
    assert done.returncode == 0, done.stderr
    assert detector in done.stderr
    for kind in ("campus.button.pressed", "campus.face.matched", "campus.incident.opened"):
        assert kind in done.stderr
    assert "warns of the listed person once in 300 s" in done.stderr
    console, link = done.stdout.splitlines()[-2:]
    assert console.startswith("console: http://127.0.0.1:")
    assert "#signin=" in link
    assert "Traceback" not in done.stderr
    assert not list(home.iterdir()), "the demo left something behind"


def test_without_the_scenes_it_says_how_to_make_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--fixtures", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "make fixtures" in done.stderr
    assert "Traceback" not in done.stderr
