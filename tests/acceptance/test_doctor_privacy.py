"""``campus-gateway doctor privacy`` on real scenes: clean where nobody listed passes, and able to say otherwise."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from vision_bench import built, yunet_file

pytestmark = pytest.mark.timeout(170)
ROOT = Path(__file__).parents[2]
# What a careless hand could add to a child: each look at somebody leaves something that is sealed, or that looks so.
LEAK = """

import os, tempfile
from pathlib import Path
from gateway.events import new_id as _id
from gateway.wire import EvidencePicture as _Picture

_look = CameraPipeline._look


def _leaking(self, frame, current):
    _look(self, frame, current)
    if self._looker.wants_main:
        jpeg = to_jpeg(frame.rgb())
        picture = _Picture(evidence=_id(), event=_id(), camera="c", person="", kind="crop", jpeg=jpeg)
        noise = os.urandom(len(jpeg))
        {leak}


CameraPipeline._look = _leaking
"""
LEAKS = {
    "a sealed picture": "self._post((picture,))",
    "a file of an unknown kind": "file = tempfile.NamedTemporaryFile(); file.write(noise); file.close()",
    "a file in memory of an unknown kind": "os.write(os.memfd_create('faces'), noise)",
    "a JPEG picture in text": "import base64; _LOG.warning('%s', base64.b64encode(jpeg))",
}


def doctor(scene: Path, portrait: Path, passages: int = 1, tree: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "doctor", "privacy", "--json", "--passages", str(passages)]
    command += ["--scene", str(scene), "--listed", str(portrait), "--models", str(yunet_file().parent)]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tree, env=environment)


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
@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", list(LEAKS))
def test_a_child_that_leaks_is_found_out_though_its_leak_cannot_be_read(tmp_path: Path, what: str) -> None:
    if what.startswith("a file") and shutil.which("strace") is None:
        pytest.skip("needs strace")
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "gateway" / "vision" / "video" / "pipeline.py").open("a", encoding="utf-8") as file:
        file.write(LEAK.format(leak=LEAKS[what]))
    done = doctor(built("unlisted-640x360.mp4"), built("portraits/obama.jpg"), tree=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert what in {each["what"] for each in json.loads(done.stdout)[0]["traces"]}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_somebody_on_the_list_leaves_traces_and_they_are_found() -> None:
    done = doctor(built("gate-640x360.mp4"), built("portraits/obama.jpg"), passages=5)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)[0]
    assert report["matches"] >= 1
    assert {"a match", "a sealed picture", "a sealed clip"} <= {each["what"] for each in report["traces"]}


def test_a_scene_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = doctor(tmp_path / "none.mp4", tmp_path / "none.jpg")
    assert done.returncode == 3, "1 says that a trace is left"
    assert "none.mp4: there is no such file" in done.stderr
