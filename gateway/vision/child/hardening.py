"""Makes a child harmless to its parent and to privacy: no core dumps, first to be killed, last to be scheduled."""

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
# 0 is a daemon's, 1000 dies first: when memory runs out a child goes long before the alarm house.
_OOM_SCORE = "500"


def harden() -> None:
    """Forbid core dumps and tracing, offer the process to the OOM killer, end it with its parent's thread.

    Faces and keys are in this memory: RLIMIT_CORE 0 and PR_SET_DUMPABLE 0 (prctl(2)) keep them out of dumps. The OOM
    score goes first because `/proc/self` belongs to root afterwards.
    """
    faulthandler.enable(sys.stderr)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def silence_libraries() -> None:
    """Keep libraries from calling home; to be called before they are loaded.

    ONNX Runtime 1.32 writes a device id and sends each session to its maker unless this variable is set; its own call
    to switch that off comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def give_way(nice: int) -> None:
    """Lower the process's priority to niceness `nice`; one that is lower already stays."""
    lower = nice - os.getpriority(os.PRIO_PROCESS, 0)
    if lower > 0:
        os.nice(lower)


def resident_megabytes() -> float:
    """What the process holds in memory now (proc(5), statm, second field)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 2**20
