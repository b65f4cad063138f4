"""`campus-gateway` with some arguments, as a user types it."""

import subprocess
import sys


def command(*arguments: str, entered: str = "", umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `entered` is typed into it."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        input=entered,
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )
