"""The strict bench: no socket but loopback, no task or child process left behind by a test."""

import asyncio
import inspect
import ipaddress
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime would write a device id below HOME

# The same examples each time, so that a change is judged by what it changes; `make test-long` looks for new ones.
hypothesis.settings.register_profile("steady", derandomize=True)
hypothesis.settings.load_profile(os.environ.get("GATEWAY_HYPOTHESIS", "steady"))

_CHILD_GRACE_SECONDS = 2.0
_TASK_GRACE_SECONDS = 1.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the daemon takes for the offset of the wall clock."""
    file = tmp_path_factory.mktemp("wall") / "offset"
    file.write_text("+0")
    return file


class ForeignSocketError(AssertionError):
    """A test reached out of this machine."""


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.bind", "socket.sendto"}:
        address = arguments[1]
        if event == "socket.bind" and address == ("", 0):
            return  # how paho-mqtt says that any source port will do
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise ForeignSocketError(f"{event} to {address[0]!r}: tests may use 127.0.0.1 and ::1 only")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def pytest_configure() -> None:
    """An audit hook, because it also sees what asyncio and C code of the standard library connect."""
    sys.addaudithook(_guard)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Asynchronous tests are watched from before their first fixture until after their last."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.fixturenames.insert(0, "_no_task_left_behind")


@pytest.fixture
async def _no_task_left_behind() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    deadline = time.monotonic() + _TASK_GRACE_SECONDS
    while leaked := asyncio.all_tasks() - before - {asyncio.current_task()}:
        if time.monotonic() > deadline:
            pytest.fail(f"tasks left behind: {sorted(task.get_name() for task in leaked)}")
        await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _no_child_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _living_children()
    yield
    if request.node.get_closest_marker("restarts_shared_daemon"):
        return
    deadline = time.monotonic() + _CHILD_GRACE_SECONDS
    while leaked := _living_children() - before:
        if time.monotonic() > deadline:
            pytest.fail(f"child processes left behind: {sorted(_command(pid) for pid in leaked)}")
        time.sleep(0.02)


def _living_children() -> set[int]:
    """This process's children, without those that have ended and only wait to be reaped."""
    found: set[int] = set()
    for listed in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        try:
            found.update(int(pid) for pid in listed.read_text().split())
        except OSError:  # the thread ended between the listing and the reading
            continue
    # The standard library starts its tracker of shared memory once and keeps it for the life of the process.
    return {pid for pid in found if _is_alive(pid) and "multiprocessing.resource_tracker" not in _command(pid)}


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return f"process {pid}"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI has installed every tool, a test that skips for want of one has failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("GATEWAY_REQUIRE_TOOLS") or reporter is None:
        return
    reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    wanting = [reason for reason in reasons if any(tool in reason for tool in _TOOLS)]
    if wanting:
        reporter.write_line("skipped for want of a tool that CI must have:\n" + "\n".join(wanting), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_TOOLS = ("mosquitto", "chromium", "strace", "libfaketime", "faketime")
