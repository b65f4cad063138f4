"""Commands of a user who may not look into the state folder: one line each, with the remedy, never a traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Root may look into everything; without these two rights it is a user like any other.
_RIGHTS = "-dac_override,-dac_read_search"
_AS_ANYBODY = ["setpriv", "--bounding-set", _RIGHTS, "--inh-caps", _RIGHTS]
_OTHER = 65534

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can make a folder of another user"
)


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration that everybody may read, of a state folder that only another user may."""
    closed = tmp_path / "closed"
    (closed / "state" / "tls").mkdir(parents=True)
    os.chmod(closed, 0o700)
    os.chown(closed, _OTHER, _OTHER)
    text = f'[gateway]\nsite = "east"\n[storage]\ndirectory = "{closed / "state"}"\n[api]\nport = 1\n'
    (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", ["status", "doctor", "ca export", "audit verify", "user list", "backup b.tar"])
def test_no_right_to_look_is_one_line_with_a_remedy(configuration: Path, command: str) -> None:
    whole = [*_AS_ANYBODY, sys.executable, "-m", "gateway", *command.split(), "--config", str(configuration)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False, cwd=configuration)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    assert "Permission denied" in said
    assert "sudo -u" in said
