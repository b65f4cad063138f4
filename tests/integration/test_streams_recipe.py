"""The recipe of the recorded scenes: what it made is what it says, and it fails in one line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
BUILD = FIXTURES / "build"


def run_recipe(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "make.py"), *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy_of_the_recipe(tmp_path: Path) -> Path:
    shutil.copy(FIXTURES / "make.py", tmp_path)
    shutil.copytree(FIXTURES / "recipe", tmp_path / "recipe", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def gate() -> tuple[Path, dict[str, Any]]:
    video = BUILD / "gate-640x360.mp4"
    if not video.is_file():
        pytest.skip("the scenes are not made: run fixtures/make.py")
    return video, json.loads(video.with_suffix(".json").read_text())


def test_without_a_network_one_line_says_what_where_and_the_remedy(copy_of_the_recipe: Path, tmp_path: Path) -> None:
    empty = tmp_path / "no-archives"
    empty.mkdir()
    ran = run_recipe(copy_of_the_recipe, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(empty), PIP_CONFIG_FILE=os.devnull)
    assert ran.returncode == 1
    complaint = ran.stderr.splitlines()[-1]
    assert complaint.startswith("fixtures: face_recognition==1.3.0: pip could not download it")
    assert "Is there a network?" in complaint
    assert "Traceback" not in ran.stderr


def test_what_is_made_is_not_made_again(gate: tuple[Path, dict[str, Any]]) -> None:
    before = gate[0].stat()
    ran = run_recipe(FIXTURES, "--quick", PIP_NO_INDEX="1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert gate[0].stat().st_mtime_ns == before.st_mtime_ns


def test_the_truth_fits_the_recording(gate: tuple[Path, dict[str, Any]]) -> None:
    video, truth = gate
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert (stream.width, stream.height, stream.codec_context.has_b_frames) == (640, 360, False)
    assert len(packets) == truth["frames"]
    assert [index for index, packet in enumerate(packets) if packet.is_keyframe] == list(range(0, len(packets), 50))


def test_faces_grow_and_both_kinds_of_people_pass(gate: tuple[Path, dict[str, Any]]) -> None:
    passages = gate[1]["passages"]
    assert {passage["listed"] for passage in passages} == {True, False}
    for passage in passages:
        heights = [box[3] for _, box in sorted(passage["boxes"].items(), key=lambda entry: int(entry[0]))]
        assert heights[0] < 30
        assert max(heights) > 105
        assert passage["first_frame"] == min(map(int, passage["boxes"]))
