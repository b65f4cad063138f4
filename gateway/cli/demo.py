"""``demo``: the whole chain on one machine: simulated camera, button and office around a real gateway."""

import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gateway.cli.models import YUNET, install_from_url, is_installed
from gateway.cli.output import put, say
from gateway.cli.simulated import Simulator
from gateway.daemon import Hooks, Running, configure_log, run_house, run_until_signal, signin_link
from gateway.errors import GatewayError, PermanentError, TransientError
from gateway.events import ButtonPressed, FaceMatched, new_id
from gateway.settings import MatchingSettings, Settings, parse_settings
from gateway.storage import PasswordHasher, Person, User

_FETCH_SECONDS = 5.0
_ENROL_SECONDS = 30.0
_CHAIN_SECONDS = 60.0
_PORT = 8443
_SITE, _CAMERA, _BUTTON, _USER = "demo", "cam-01", "btn-01", "demo"
_COOLDOWN_SECONDS = 300
_PASSAGES = (
    f"The recorded scene plays again and again; the demo warns of the listed person once in {_COOLDOWN_SECONDS} s, "
    "so that what you acknowledge stays so. A gateway of your own warns once in "
    f"{MatchingSettings().cooldown_seconds:g} s (matching.cooldown_seconds)."
)
_ROOT = Path(__file__).resolve().parents[2]


def demo(
    fixtures: Annotated[Path, typer.Option(help="Folder of the recorded scenes.")] = _ROOT / "fixtures" / "build",
    models: Annotated[Path | None, typer.Option(help="Folder of model files; default: a cache of this user.")] = None,
    seconds: Annotated[float, typer.Option(help="End by itself after so long; 0: at Ctrl-C.")] = 0.0,
    offline: Annotated[bool, typer.Option("--offline", help="Do not try to fetch the face detector.")] = False,
) -> None:
    """Run everything on this machine; its last lines are the console's address and a one-time sign-in link."""
    scene, portrait = fixtures / "gate-640x360.mp4", fixtures / "portraits" / "obama.jpg"
    for path in (scene, portrait):
        if not path.is_file():
            raise PermanentError("the recorded scene is not made yet", where=str(path), remedy="Run: make fixtures")
    folder = models or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "campus-gateway" / "models"
    _provide_detector(folder, offline=offline)
    state = Path(tempfile.mkdtemp(prefix="campus-gateway-demo-"))
    configure_log(json=False, to=state / "gateway.log")
    try:
        run_until_signal(lambda on_stop: _Demo(state, folder, scene, portrait, seconds).run(on_stop))
    finally:
        shutil.rmtree(state, ignore_errors=True)
        state.with_name(state.name + ".key").unlink(missing_ok=True)


def _provide_detector(folder: Path, *, offline: bool) -> None:
    if is_installed(YUNET, folder):
        say("Face detector: YuNet.")
        return
    try:
        if offline:
            raise TransientError("not asked for")
        install_from_url(YUNET, folder, timeout_seconds=_FETCH_SECONDS)
        say("Face detector: YuNet, fetched just now.")
    except GatewayError:
        say("Face detector: dlib's HOG (YuNet could not be fetched; near faces are found all the same).")


class _Demo:
    """One run of the demo."""

    def __init__(self, state: Path, models: Path, scene: Path, portrait: Path, seconds: float) -> None:
        self._state = state
        self._models = models
        self._scene = scene
        self._portrait = portrait
        self._seconds = seconds
        self._button: Simulator | None = None
        self._told = False
        self._arrived = {ButtonPressed.TYPE: asyncio.Event(), FaceMatched.TYPE: asyncio.Event()}

    async def run(self, on_stop: Callable[[Callable[[], None]], None]) -> None:
        """Start the simulators and the gateway; end them in reverse."""
        simulators: list[Simulator] = []
        try:
            say("Starting a simulated ONVIF camera, a button and a security office …")
            secret, password = f"whsec_{b64encode(os.urandom(32)).decode()}", secrets.token_urlsafe(12)
            arguments = ["--port", "0", "--secret-file", self._file("secret", secret)]
            office = await Simulator.start("office", *arguments, heard=self._office_says)
            simulators.append(office)
            login = ["--username", "gateway", "--password-file", self._file("password", password)]
            camera = await Simulator.start("camera", "--recording", str(self._scene), *login)
            simulators.append(camera)
            office_url, camera_url = (await office.ready())[0], (await camera.ready())[0]
            office.listen()
            settings = self._settings(camera_url, office_url)
            hooks = Hooks(on_ready=lambda running: self._ready(running, simulators), press=self._press)
            await run_house(settings, file="the demo", on_stop=on_stop, hooks=hooks)
        finally:
            for simulator in reversed(simulators):
                await simulator.stop()

    def _file(self, name: str, content: str) -> str:
        path = self._state / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def _settings(self, camera_url: str, office_url: str) -> Settings:
        tree: dict[str, Any] = {
            "gateway": {"site": _SITE},
            "storage": {"directory": self._state / "state", "models": self._models, "reserve_megabytes": 1},
            "mqtt": {"port": 0},
            "api": {"port": _free_or_any(_PORT), "tls": "off"},
            "matching": {"cooldown_seconds": _COOLDOWN_SECONDS},
            "devices": [
                {"id": _BUTTON, "name": "东门岗亭", "place": "东门岗亭 East gate booth", "linked_cameras": [_CAMERA]}
            ],
            "cameras": [
                {
                    "id": _CAMERA,
                    "name": "东门",
                    "place": "东门 East gate",
                    "url": camera_url,
                    "watch_faces": True,
                    "username": "gateway",
                    "password_file": self._state / "password",
                }
            ],
            "destinations": [{"id": "office", "url": office_url, "secret_file": self._state / "secret"}],
        }
        return parse_settings(tree, "the demo")

    def _office_says(self, line: str) -> None:
        """Once the link stands below, only what somebody at the keyboard did comes after it."""
        if not self._told or f" {ButtonPressed.TYPE} " in line:
            say(f"  {line}")
        for kind, event in self._arrived.items():
            if f" {kind} " in line:
                event.set()

    async def _press(self, kind: str) -> None:
        if self._button is not None:
            await self._button.tell({"press": "p", "silent": "s", "test": "t", "clear": "c"}.get(kind, "p"))

    async def _ready(self, running: Running, simulators: list[Simulator]) -> None:
        user = User(
            name=_USER,
            role="admin",
            password=await PasswordHasher().hash(secrets.token_urlsafe(24)),
            created=running.clock.now(),
        )
        await running.stores.accounts.add_user(user)
        say("The gateway accepts presses. Its console:")
        self._show(running.url, await signin_link(running.stores, running.clock, running.url, _USER))
        port = str(urlsplit(running.alarms_address).port)
        self._button = await Simulator.start("button", "--port", port, "--site", _SITE, "--device", _BUTTON)
        simulators.append(self._button)
        say("Pressing the button once; the security office says:")
        await self._press("press")
        await self._enrol(running)
        await self._wait_for_chain()
        self._told = True
        say("A press and a face warning went the whole way. What more the camera sees is in the console.")
        say(_PASSAGES)
        say("Press Enter to press the button, Ctrl-C to end.")
        self._show(running.url, await signin_link(running.stores, running.clock, running.url, _USER))
        self._read_keys()
        if self._seconds:
            await asyncio.sleep(self._seconds)
            running.stop()

    @staticmethod
    def _show(url: str, link: str) -> None:
        put(f"console: {url}")
        put(f"sign-in (once, 15 minutes): {link}")

    async def _enrol(self, running: Running) -> None:
        now = running.clock.now()
        person = Person(
            id=new_id(),
            name="演示人员 Demo person",
            category="barred",
            reason="演示 demonstration",
            authority="演示 demonstration",
            valid_until=now + timedelta(days=1),
            created=now,
            updated=now,
            created_by=_USER,
        )
        await running.watchlist.add(person, _USER)
        image = self._portrait.read_bytes()
        await _until_it_works(lambda: running.watchlist.add_photo(person.id, image, _USER), _ENROL_SECONDS)

    async def _wait_for_chain(self) -> None:
        try:
            async with asyncio.timeout(_CHAIN_SECONDS):
                for event in self._arrived.values():
                    await event.wait()
        except TimeoutError:
            missing = ", ".join(kind for kind, event in self._arrived.items() if not event.is_set())
            raise TransientError(
                f"{missing} did not reach the office in {_CHAIN_SECONDS:.0f} s",
                remedy="Is the machine very busy? Try again.",
            ) from None

    def _read_keys(self) -> None:
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in sys.stdin:
                kind = {"s": "silent", "t": "test", "c": "clear"}.get(line.strip().lower(), "press")
                asyncio.run_coroutine_threadsafe(self._press(kind), loop)

        threading.Thread(target=read, name="keys of the demo", daemon=True).start()


async def _until_it_works(work: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Try again while a child is still starting."""
    until = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            await work()
        except TransientError:
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.3)
        else:
            return


def _free_or_any(port: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
