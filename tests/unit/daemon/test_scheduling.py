"""The alarm house asks for short turns, and its children do not keep them."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, re, subprocess, sys, threading
from gateway.daemon.scheduling import take_short_turns

def turn(path):
    return re.search(r"se\\.slice\\s*:\\s*(\\d+)", open(path).read()).group(1)

taken = take_short_turns()
found = []
thread = threading.Thread(target=lambda: found.append(turn(f"/proc/self/task/{threading.get_native_id()}/sched")))
thread.start()
thread.join()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
os.sched_setscheduler(child.pid, os.SCHED_BATCH, os.sched_param(0))
print(taken, turn("/proc/self/sched"), found[0], turn(f"/proc/{child.pid}/sched"))
child.communicate(b"\\n")
"""


def test_threads_of_the_alarm_house_have_short_turns_and_a_child_that_gives_way_has_not() -> None:
    sched = Path("/proc/self/sched")
    if not sched.exists() or "se.slice" not in sched.read_text():
        pytest.skip("this kernel does not tell the length of a turn")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    taken, own, thread, child = done.stdout.split()
    assert (taken, own, thread) == ("True", "100000", "100000")
    assert int(child) > 100_000
