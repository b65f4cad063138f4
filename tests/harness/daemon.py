"""`campus-gateway run` as a user starts it: a process with a folder, killed and started again at will."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from harness.ports import free_port

ADMIN = "chief"
PASSWORD = "a long enough pass phrase"  # of a gateway that lives for one test
START_SECONDS = 30.0
BUTTON = """
[[devices]]
id = "btn-01"
name = "东门岗亭"
place = "East gate booth"
"""


@dataclass
class Daemon:
    """One gateway on this machine.

    Attributes:
        folder: holds configuration and state; survives kills.
        extra: TOML that is added to the configuration.
        log: what it wrote to stderr, over all its lives.
    """

    folder: Path
    extra: str = BUTTON
    settings: tuple[str, ...] = ()
    mqtt_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    log: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _readers: list[threading.Thread] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    @property
    def url(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.http_port}"

    def write_configuration(self) -> None:
        """Write ``gateway.toml``: loopback, plain HTTP, the ports of this object."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = f"""
[gateway]
site = "east"
[storage]
directory = "{self.state}"
reserve_megabytes = 1
[mqtt]
port = {self.mqtt_port}
[api]
port = {self.http_port}
tls = "off"
{self.extra}
"""
        (self.folder / "gateway.toml").write_text(text, encoding="utf-8")

    def start(self) -> Self:
        """Start it and wait until it accepts presses."""
        self.write_configuration()
        command = [*self.prefix, sys.executable, "-m", "gateway", "run", "--config", str(self.folder)]
        for setting in self.settings:
            command += ["--set", setting]
        self.process = subprocess.Popen(  # the process is this object's own, ended by stop or kill
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONWARNINGS": "default"} | self.environment,
        )
        ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read_output, args=(ready,), name="daemon-stdout"),
            threading.Thread(target=self._read_log, name="daemon-stderr"),
        ]
        for reader in self._readers:
            reader.start()
        if not ready.wait(START_SECONDS) or self.process.poll() is not None:
            self.kill()
            raise AssertionError("the daemon did not get ready:\n" + "".join(self.log[-40:]))
        return self

    def _read_output(self, ready: threading.Event) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if line.startswith("ready"):
                ready.set()
        ready.set()

    def _read_log(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)

    def stop(self) -> int:
        """End it as systemd does; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as a power switch does, as far as one process can see."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        for reader in self._readers:
            reader.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code

    def set_up_administrator(self) -> None:
        """Use the one-time link that the first start printed."""
        link = next(line for line in self.printed if "#setup=" in line)
        found = re.search(r"#setup=([A-Za-z0-9_-]+)", link)
        assert found
        body = {"token": found[1], "username": ADMIN, "password": PASSWORD}
        answer = httpx.post(f"{self.url}/api/v1/setup", json=body)
        assert answer.status_code in {200, 201, 204}, answer.text

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A signed-in HTTP client of the administrator."""
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=20.0) as client:
            answer = client.post("/session", json={"username": ADMIN, "password": PASSWORD})
            assert answer.status_code == httpx.codes.OK, answer.text
            yield client

    def events(self, client: httpx.Client, **query: Any) -> list[dict[str, Any]]:  # query values
        """All events that the filter lets through, oldest first."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = client.get("/events", params={"after": after, "limit": 500, **query}).json()
            found += [item["event"] for item in page["items"]]
            if not page["items"]:
                return found
            after = page["next"]

    def children(self) -> dict[int, str]:
        """Process ids of its children with their command lines."""
        assert self.process is not None
        return dict(_children_of(self.process.pid))

    def wait_for_log(self, text: str, seconds: float = 20.0) -> None:
        """Wait until a line of the log holds `text`."""
        until = time.monotonic() + seconds
        while not any(text in line for line in self.log):
            assert time.monotonic() < until, f"{text!r} never came:\n" + "".join(self.log[-30:])
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def _children_of(parent: int) -> Iterable[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text()
            if int(status.rsplit(")", 1)[1].split()[1]) == parent:
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError, IndexError):
            continue


def problems(log: Iterable[str]) -> list[str]:
    """Lines of a log that no run should have: tracebacks and warnings of Python."""
    marks = ("Traceback (most recent call last)", "RuntimeWarning", "ResourceWarning", "was never awaited")
    return [line for line in log if any(mark in line for mark in marks)]


def as_json(line: str) -> dict[str, Any]:
    """One line of the log as its fields; empty if it is no JSON."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
