"""``doctor privacy``: plays people who are on no list to a gateway of its own; nothing of them may be kept."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from gateway.cli.kinds import misplaced, misplaced_in_memory
from gateway.cli.options import JsonOption
from gateway.cli.output import put, put_table, say
from gateway.cli.traces import CALLS, Trace, Written, changed_since, traces_in, traces_in_memory, written_by
from gateway.errors import GatewayError, PermanentError, TransientError, counted

_ROOT = Path(__file__).resolve().parents[2]
# A busy machine starts Python under strace slowly, and loads the face network slowly.
_START_SECONDS = 300.0
_ENROL_SECONDS = 300.0
_PATIENCE_SECONDS = 120.0
_STOP_SECONDS = 20.0
_SECONDS_EACH = 15.0
_READY = re.compile(r"^ready (\S+)")
_SETUP = re.compile(r"#setup=([A-Za-z0-9_-]+)")
# No event needs so much but one that holds a picture.
_LARGEST_EVENT_BYTES = 4096
_PASSED, _FOUND, _UNPROVED = 0, 1, 3


def privacy(
    scene: Annotated[Path, typer.Option(help="A recording of people who are on no list.")] = _ROOT
    / "fixtures"
    / "build"
    / "unlisted-640x360.mp4",
    listed: Annotated[Path, typer.Option(help="A photo of somebody else, who is put on the list.")] = _ROOT
    / "fixtures"
    / "build"
    / "portraits"
    / "obama.jpg",
    passages: Annotated[int, typer.Option(min=1, help="So many people pass.")] = 3,
    models: Annotated[Path | None, typer.Option(help="Folder of model files.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Play unlisted faces to a gateway and scan each file that it wrote; exit 1 if a trace is left, 3 if unproved."""
    try:
        report = _report(scene, listed, passages, models)
    except (GatewayError, httpx.HTTPError) as error:
        say(f"error: {error or type(error).__name__}\nNothing is proved.")
        raise typer.Exit(_UNPROVED) from None
    _print(report, as_json=as_json)
    raise typer.Exit(report.verdict)


def _report(scene: Path, listed: Path, passages: int, models: Path | None) -> "Report":
    """What a trial in a folder of its own showed.

    Raises:
        GatewayError: it could not be held.
    """
    for path in (scene, listed):
        if not path.is_file():
            raise PermanentError("there is no such file", where=str(path), remedy="Run make fixtures, or name another.")
    with tempfile.TemporaryDirectory(prefix="campus-gateway-privacy-") as folder:
        say(f"Playing {scene.name} to a gateway of its own until {passages} people have passed; a minute or two …")
        return Trial(Path(folder), scene, listed, models).run(passages)


@dataclass(frozen=True, slots=True)
class Report:
    """What the trial showed.

    Attributes:
        how: strace, or a walk of the writable folders.
        passages: people who were seen and compared.
        matches: events that say somebody listed was there; with a right scene none.
        files: that were written.
        in_memory: names of files in memory, gone with their processes.
        traces: of people, in files; and files that have no business there, whatever they hold.
        unsure: what a walk found where other programs write, too.
    """

    how: str
    passages: int
    wanted: int
    matches: int
    files: tuple[str, ...]
    in_memory: tuple[str, ...]
    traces: tuple[Trace, ...]
    unsure: tuple[Trace, ...] = ()

    @property
    def verdict(self) -> int:
        """The exit code."""
        if self.traces:
            return _FOUND
        return _PASSED if self.passages >= self.wanted and not (self.matches or self.unsure) else _UNPROVED


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        put_table([asdict(report) | {"verdict": report.verdict}], [], as_json=True)
        return
    were = "was" if report.passages == 1 else "were"
    put(
        f"{counted(report.passages, 'passage')} {were} compared, {report.wanted} wanted; "
        f"{counted(len(report.files), 'file')} written"
    )
    put(f"Files are {report.how}")
    for name in report.in_memory:
        put(f"in memory only: {name}")
    put_table([{"file": each} for each in report.files], ["file"], as_json=False)
    for each in report.traces:
        put(f"TRACE: {each.path}: {each.what} at byte {each.offset}")
    for each in report.unsure:
        put(f"of this gateway or of another program: {each.path}: {each.what} at byte {each.offset}")
    put(_said(report))


def _said(report: Report) -> str:
    """The verdict in a sentence, with what to do."""
    if report.verdict == _FOUND:
        return "Something of them was kept. Please report this with the lines above."
    if report.verdict == _PASSED:
        return "No trace of anybody: each file is of a kind that has to be, and holds no picture, clip or warning."
    if report.unsure:
        return "Nothing is proved: something wrote pictures meanwhile. Install strace, which tells who wrote them."
    if report.matches:
        return f"Nothing is proved: {report.matches} warnings say that who is listed passed. Give a scene without them."
    return (
        f"Nothing is proved: {report.passages} of {report.wanted} people passed in the time given. "
        "Is the detector installed (campus-gateway models install), and the machine not too busy? "
        "Else give a longer --scene or fewer --passages."
    )


@dataclass
class Trial:
    """One gateway in a folder of its own, watched while people pass."""

    folder: Path
    scene: Path
    listed: Path
    models: Path | None
    _lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """What strace wrote."""
        return self.folder / "strace.log"

    @property
    def home(self) -> Path:
        """All that the gateway is given to write to."""
        return self.folder / "gateway"

    def run(self, passages: int) -> Report:
        """Play until so many passed, end the gateway, and look at what it wrote.

        Raises:
            TransientError: it did not get ready.
        """
        began = time.time()
        tracer = _tracer(self.log)
        with (
            self._gateway(tracer) as url,
            httpx.Client(base_url=f"{url}/api/v1", timeout=20, trust_env=False) as client,
        ):
            self._enrol(client)
            seen = _wait_for(client, passages)
            matches = len(client.get("/events", params={"type": "campus.face.matched"}).json()["items"])
            held = (*traces_in_memory(self.home), *_large_events(client))
        written = self._written(bool(tracer), began)
        found, unsure = self._traces(written)
        return Report(
            how="as strace saw them" if tracer else "found by a walk of the writable folders: install strace for more",
            passages=seen,
            wanted=passages,
            matches=matches,
            files=tuple(sorted(map(str, written.paths))),
            in_memory=tuple(sorted(written.in_memory)),
            traces=(*found, *misplaced_in_memory(written.in_memory), *held),
            unsure=unsure,
        )

    def _traces(self, written: Written) -> tuple[tuple[Trace, ...], tuple[Trace, ...]]:
        """What is found in what was written for sure, and what in files that may be of other programs."""
        sure = {path for path in written.paths if not written.by_others or path.is_relative_to(self.home)}
        models = self.models or self.home / "state" / "models"
        content = [[each for path in sorted(of) for each in traces_in(path)] for of in (sure, written.paths - sure)]
        return (*misplaced(sure, self.home, models), *content[0]), tuple(content[1])

    def _written(self, traced: bool, began: float) -> Written:
        if not traced:
            walked = changed_since(_writable_folders(self.folder), began)
            return Written(frozenset(walked), frozenset(), by_others=True)
        found = written_by(self.log.read_text(encoding="latin-1").splitlines(), self.home)
        return Written(found.paths | set(changed_since([self.home], 0)), found.in_memory)

    @contextmanager
    def _gateway(self, tracer: list[str]) -> Iterator[str]:
        for name in ("home", "temporary"):
            (self.home / name).mkdir(parents=True)
        (self.home / "gateway.toml").write_text(self._configuration(), encoding="utf-8")
        own = {"HOME": str(self.home / "home"), "TMPDIR": str(self.home / "temporary")}
        command = [*tracer, sys.executable, "-m", "gateway", "run", "--config", str(self.home)]
        own |= {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each), "PYTHONDONTWRITEBYTECODE": "1"}
        with (self.home / "gateway.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own program
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.home,
                start_new_session=True,
                env=os.environ | own,
            )
        try:
            yield self._ready(process)
        finally:
            _end_group(process)

    def _configuration(self) -> str:
        models = f'models = "{self.models}"\n' if self.models else ""
        return (
            f'[gateway]\nsite = "privacy"\n[storage]\ndirectory = "{self.home / "state"}"\nreserve_megabytes = 1\n'
            f"{models}"
            '[mqtt]\nport = 0\n[api]\nport = 0\ntls = "off"\n'
            f'[[cameras]]\nid = "cam-01"\nurl = "{self.scene.resolve().as_uri()}"\nwatch_faces = true\nloop = true\n'
        )

    def _ready(self, process: subprocess.Popen[str]) -> str:
        ready, found = threading.Event(), list[str]()

        def read() -> None:
            for line in process.stdout or ():
                self._lines.append(line)
                if match := _READY.match(line):
                    found.append(match[1])
                    ready.set()
            ready.set()

        threading.Thread(target=read, name="lines of the gateway", daemon=True).start()
        ready.wait(_START_SECONDS)
        if not found:
            raise TransientError(
                "the gateway of the trial did not get ready",
                remedy="Is the machine busy? Try again; see campus-gateway doctor.",
            )
        return found[0]

    def _enrol(self, client: httpx.Client) -> None:
        token = next(match[1] for line in self._lines if (match := _SETUP.search(line)))
        login = {"username": "privacy", "password": secrets.token_urlsafe(24)}
        client.post("/setup", json={"token": token, **login}).raise_for_status()
        client.post("/session", json=login).raise_for_status()
        ends = datetime.now(UTC) + timedelta(hours=1)
        about = {"name": "trial", "category": "barred", "reason": "trial", "authority": "trial"}
        person = (
            client.post("/watchlist/people", json=about | {"valid_until": ends.isoformat()}).raise_for_status().json()
        )
        put_photo(client, person["id"], self.listed)


def put_photo(client: httpx.Client, person: str, photo: Path, *, patience_seconds: float = _ENROL_SECONDS) -> None:
    """Give somebody on the list a photo; while the gallery child starts or is busy it is tried again.

    Raises:
        TransientError: the child took no request in all that time.
        PermanentError: the photo is refused.
    """
    until = time.monotonic() + patience_seconds
    while True:
        answer = client.post(
            f"/watchlist/people/{person}/photos",
            files={"photo": ("photo.jpg", photo.read_bytes())},
            timeout=patience_seconds,
        )
        if answer.is_success:
            return
        detail = answer.json().get("detail", f"HTTP {answer.status_code}")
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            remedy = "Name a photo of one face, such as of a passport: --listed FILE."
            raise PermanentError(f"is refused: {detail}", where=str(photo), remedy=remedy)
        if time.monotonic() > until:
            remedy = "Try again when the machine is less busy; campus-gateway doctor looks for other reasons."
            raise TransientError(detail, where="the gateway of the trial", remedy=remedy)
        time.sleep(0.3)


def _end_group(process: "subprocess.Popen[str]") -> None:
    """End a process group and wait for all of it: strace keeps SIGTERM from itself, and may end before its gateway."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for(client: httpx.Client, passages: int) -> int:
    until, seen = time.monotonic() + _PATIENCE_SECONDS + _SECONDS_EACH * passages, 0
    while seen < passages and time.monotonic() < until:
        time.sleep(0.5)
        status: dict[str, Any] = client.get("/cameras/cam-01").json()["status"]
        seen = int(status.get("passages", 0))
    return seen


def _large_events(client: httpx.Client) -> Iterator[Trace]:
    """Events that are large enough for a picture, however that is written in them."""
    after = 0
    while True:
        page = client.get("/events", params={"after": after}).json()
        for each in page["items"]:
            if (size := len(json.dumps(each))) > _LARGEST_EVENT_BYTES:
                yield Trace("the journal", f"an event of {size} bytes, {each['type']}", 0)
        if not page["items"] or page["next"] == after:
            return
        after = page["next"]


def _tracer(log: Path) -> list[str]:
    """The command that watches another; empty if there is none, or it is not allowed to."""
    strace = shutil.which("strace")
    if strace is None:
        return []
    plain = [strace, "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(log)]
    quick = [strace, "--seccomp-bpf", *plain[1:]]  # stops at no other calls; an older one does not know it
    return next((command for command in (quick, plain) if _is_allowed(command)), [])


def _is_allowed(tracer: list[str]) -> bool:
    return subprocess.run([*tracer, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0  # noqa: S603  # our own program


def _writable_folders(own: Path) -> tuple[Path, ...]:
    usual = (Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm"), Path.home(), Path.cwd(), own)  # noqa: S108
    return tuple({each.resolve() for each in usual if each.is_dir() and os.access(each, os.W_OK)})
