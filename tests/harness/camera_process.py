"""A simulated camera in a process of its own, and waiting for what a daemon tells of it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.daemon import Daemon

SECRET = "p@ss:w/rd#1"


@dataclass(frozen=True)
class Camera:
    """A simulated camera in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def make(self, state: str) -> None:
        """Have its contact 1 become ``active`` or ``inactive``."""
        base = self.url.replace("onvif://", "http://")
        httpx.post(f"{base}/simulated/input/1/{state}", timeout=30).raise_for_status()


@contextmanager
def camera(secret: Path, *quirks: str) -> Iterator[Camera]:
    command = [sys.executable, "-m", "gateway.simulators", "camera", "--username", "gate"]
    command += ["--password-file", str(secret), *(word for quirk in quirks for word in ("--quirk", quirk))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Camera(process.stdout.readline().split()[1], process)
        finally:
            process.kill()


def until(found: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.1)
    return value


def told(daemon: Daemon, client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    return [each for each in daemon.events(client) if each["type"] == kind]
