"""The alarm house asks for short turns, and its children do not keep them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TURN = re.compile(r"se\.slice\s*:\s*(\d+)")
BUSY = "input(); sum(range(3_000_000)); print(open('/proc/self/sched').read())"
PROGRAM = f"""
import subprocess, sys, threading
from gateway.workers.turns import give_way, take_short_turns

def show():
    print(open("/proc/thread-self/sched").read())

print(take_short_turns())
show()
thread = threading.Thread(target=show)
thread.start()
thread.join()
child = subprocess.Popen([sys.executable, "-c", {BUSY!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert give_way(child.pid, 10)
print(child.communicate(chr(10))[0])
"""


def test_threads_of_the_alarm_house_have_short_turns_and_a_child_that_gives_way_has_not() -> None:
    sched = Path("/proc/self/sched")
    if not sched.exists() or not TURN.search(sched.read_text()):
        pytest.skip("this kernel does not tell the length of a turn")
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    own, thread, child = map(int, TURN.findall(told))
    assert told.startswith("True")
    assert (own, thread) == (100_000, 100_000)
    assert child > 100_000
