"""Lets the alarm house run at once when it wakes, and its children behind it, without any right that they lack."""

import ctypes
import os
import platform
import sys

# sched_setattr(2); its `sched_runtime` is the length of a turn since Linux 6.12 (0.1 to 100 ms; ignored before).
_CALLS = {"x86_64": 314, "aarch64": 274}
_SHORT_NANOSECONDS = 100_000
_USUAL = 0
_NORMAL, _BATCH = 0, 3


class _Attributes(ctypes.Structure):
    """struct sched_attr of sched_setattr(2), version 0."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def take_short_turns() -> bool:
    """Give this thread, and those that it starts, the shortest turns; False where the system knows no such wish.

    A thread of short turns that wakes goes before one in the middle of a longer turn, such as a child that starts and
    loads its libraries. It gets no more of the processor than before.
    """
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    return _is_usual() and _set(0, _NORMAL, nice, _SHORT_NANOSECONDS)


def give_way(pid: int, nice: int) -> bool:
    """Let a process run only when nobody of this one wants the processor: niceness, long turns, SCHED_BATCH.

    A batch thread that wakes never preempts another (sched(7)). The turns of its parent, which it has inherited, are
    taken from it.
    """
    return _set(pid, _BATCH, nice, _USUAL)


def _is_usual() -> bool:
    return sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER


def _set(pid: int, policy: int, nice: int, turn_nanoseconds: int) -> bool:
    number = _CALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    size = ctypes.sizeof(_Attributes)
    wish = _Attributes(size=size, policy=policy, nice=nice, runtime=turn_nanoseconds)
    answer: int = ctypes.CDLL(None, use_errno=True).syscall(number, pid, ctypes.byref(wish), 0)
    return answer == 0
