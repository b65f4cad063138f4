"""``doctor``: what works and what does not, each with a remedy."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import typer

from gateway.cli.check_config import entries_in_both, further_faults
from gateway.cli.local import of_system
from gateway.cli.models import YUNET, is_installed
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put_table
from gateway.cli.privacy import privacy
from gateway.cli.status import MORE, brief, delivery_detail, device_detail, fetch_readiness, listed
from gateway.cli.unanswered import unanswered
from gateway.errors import GatewayError
from gateway.settings import CameraSettings, Settings
from gateway.storage import inspect_state

_CONNECT_SECONDS = 3.0
_LEAST_FREE_SHARE = 0.1
_GALLERY = "gallery"
_UNHEARD = frozenset({"lost", "not_heard"})
_PASSWORD_REASONS = frozenset({"credentials_wrong", "unauthorized"})
_UNTRIED = (
    "It tries a changed password_file within 10 s; one that is changed again, 5 minutes later. If it does not, give "
    "its user the right to read the file: its log says so."
)
_UNREAD = "Restart the gateway: it reads gateway.toml at its start only."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is empty if all is well."""

    part: str
    ok: bool
    finding: str
    remedy: str = ""


doctor_app = typer.Typer(no_args_is_help=False, rich_markup_mode=None)
doctor_app.command("privacy", short_help="Proves by trial that unlisted faces leave no trace.")(privacy)


@doctor_app.callback(invoke_without_command=True)
def doctor(
    context: typer.Context, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None
) -> None:
    """Look at configuration, daemon, disk, model, brokers, cameras and destinations; exit 1 if anything fails.

    While the daemon is down its state folder is looked at instead, and not changed.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(config, set_)
    cameras = [_camera(camera) for camera in settings.cameras]
    findings = [
        *_files(settings, str(config / "gateway.toml")),
        *(_with_own_try(each, settings, cameras) for each in _daemon(settings)),
        _looked("disk", _disk, settings),
        _looked("face detector", _model, settings),
        *cameras,
        *_receivers(settings),
    ]
    rows = [asdict(each) | {"ok": each.ok if as_json else ("ok" if each.ok else "FAILS")} for each in findings]
    put_table(rows, ["part", "ok", "finding", "remedy"], as_json=as_json)
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)


def _looked(part: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """A finding also where the system does not let this user look."""
    try:
        return look(settings)
    except OSError as error:
        return _not_looked(part, error)


def _not_looked(part: str, error: OSError) -> Finding:
    refusal = of_system(error)
    return Finding(part, False, f"cannot be looked at: {refusal.where}: {refusal.what}", refusal.remedy)


def _files(settings: Settings, file: str) -> Iterator[Finding]:
    faults = [*further_faults(settings, file, networks=True), *entries_in_both(settings, file)]
    if not faults:
        yield Finding("configuration", True, "correct")
    for fault in faults:
        where = ": ".join(each for each in (fault.file if fault.file != file else "", fault.key) if each)
        yield Finding("configuration", False, f"{where}: {fault.what}", fault.remedy)


def _daemon(settings: Settings) -> Iterator[Finding]:
    try:
        body = fetch_readiness(settings)
    except OSError as error:
        yield _not_looked("daemon", error)
        return
    except GatewayError as error:
        yield Finding("daemon", False, error.what, error.remedy)
        yield from (Finding(each.part, each.ok, each.found, each.remedy) for each in inspect_state(settings.storage))
        return
    if body["ready"]:
        yield Finding("daemon", True, "accepts presses")
    else:
        yield Finding("daemon", False, "does not accept presses", "See campus-gateway status and its log.")
    for fault in body["storage"]["faults"]:
        yield Finding("state folder", False, brief(fault), f"{MORE} It is told until what was put aside is removed.")
    key, watchlist = body["key"], body["watchlist"]
    yield Finding("master key", key["ok"], key["detail"] or "is the one of this state", key["remedy"])
    faults = body.get("worker_faults", {})
    yield _watchlist(watchlist, faults.get(_GALLERY), key_fits=key["ok"])
    for name, fault in faults.items():
        yield Finding(f"worker {name}", False, f"{body['workers'][name]}: {fault['what']}", fault["remedy"])
    yield from _buttons(settings, body["devices"])
    for name in (name for name, state in body["cameras"].items() if state == "lost"):
        figures = body["figures"].get(name, {})
        yield Finding(f"picture of {name}", False, f"lost: {figures.get('reason', '')}", figures.get("remedy", ""))
    if not body["destinations"]:
        yield Finding("destinations", True, "none: presses reach the screens of this gateway, no office and no police")
    for name, state in body["destinations"].items():
        remedy = "See the reason; what waits is sent once it answers." if state == "failing" else ""
        detail = delivery_detail(body["deliveries"][name])
        yield Finding(f"to {name}", not remedy, f"{state}: {detail}" if detail else state, remedy)


def _buttons(settings: Settings, devices: Mapping[str, dict[str, Any]]) -> Iterator[Finding]:
    """Each button; one that is wired to a camera is as well as that is heard, and pressing it mends nothing."""
    wired = {each.id: each.camera for each in settings.devices if each.camera}
    for name, found in devices.items():
        state = found["state"].replace("_", " ")
        if name in wired and found["state"] in _UNHEARD:
            remedy = f"Mend the camera {wired[name]} first; the button is heard by it."
            yield Finding(f"button {name}", False, f"{state}: the contacts of {wired[name]} are not heard", remedy)
            continue
        remedy = "Check its power, its network and its MQTT settings." if found["state"] == "lost" else ""
        yield Finding(f"button {name}", not remedy, f"{state}: {device_detail(found)}", remedy)


def _with_own_try(finding: Finding, settings: Settings, cameras: list[Finding]) -> Finding:
    """Of a camera that refuses the gateway's password and has just taken the one that stands here: what is behind."""
    reason = finding.finding.removeprefix("lost: ")
    camera = next((each for each in settings.cameras if finding.part == f"picture of {each.id}"), None)
    if camera is None or reason not in _PASSWORD_REASONS:
        return finding
    if not any(each.part == f"camera {camera.id}" and each.ok for each in cameras):
        return finding
    said = f"{finding.finding}; but the camera takes the password as it is now: the gateway has not tried that one yet"
    return replace(finding, finding=said, remedy=_UNTRIED if camera.password_file else _UNREAD)


def _watchlist(watchlist: dict[str, Any], fault: dict[str, str] | None, *, key_fits: bool) -> Finding:
    found = listed(watchlist)
    if fault is not None:
        what = found if watchlist["model"] else "is not loaded"
        return Finding("watch-list", False, f"{what}: its worker ended: {fault['what']}", fault["remedy"])
    if not watchlist["left_out"]:
        return Finding("watch-list", True, found)
    remedy = "campus-gateway watchlist reembed." if key_fits else "Put the right master key back first."
    return Finding("watch-list", False, f"{found}; {watchlist['left_out']} cannot be compared with", remedy)


def _disk(settings: Settings) -> Finding:
    folder = settings.storage.directory
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total
    text = f"{usage.free // 2**20} MB free ({share:.0%})"
    return Finding("disk", share >= _LEAST_FREE_SHARE, text, "" if share >= _LEAST_FREE_SHARE else "Free some space.")


def _model(settings: Settings) -> Finding:
    if settings.matching.detector_model is not None or is_installed(YUNET, settings.storage.models_directory):
        return Finding("face detector", True, "YuNet is installed")
    remedy = "campus-gateway models install, or --from FILE."
    return Finding("face detector", False, "YuNet is not installed: dlib's HOG finds only near faces", remedy)


def _camera(camera: CameraSettings) -> Finding:
    part = f"camera {camera.id}"
    if camera.url.startswith("file:"):
        return Finding(part, True, "a recording")
    if camera.url.startswith(("onvif:", "onvifs:")):
        return _onvif(part, camera)
    parts = urlsplit(camera.url)
    return _connect(
        f"address of {camera.id}", parts.hostname or "", parts.port or 554, "Check power, cable and address."
    )


def _onvif(part: str, camera: CameraSettings) -> Finding:
    """Ask the camera in a child: this house loads no camera library."""
    password = camera.password.get_secret_value() if camera.password else ""
    if camera.password_file is not None and camera.password_file.is_file():
        password = camera.password_file.read_text("utf-8").rstrip("\n")
    command = [sys.executable, "-m", "gateway.vision", "probe", camera.url]
    credentials = f"{camera.username}\n{password}\n{camera.tls_fingerprint}\n"
    done = subprocess.run(command, input=credentials, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  # our own program
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return Finding(part, False, "could not be asked", done.stderr.strip().splitlines()[-1] if done.stderr else "")
    return Finding(part, answer["state"] == "ok", answer["state"], answer.get("remedy", ""))


def _receivers(settings: Settings) -> Iterator[Finding]:
    for destination in settings.destinations:
        parts = urlsplit(destination.url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        remedy = "Check the address, and whether a firewall stands between."
        yield _connect(f"destination {destination.id}", parts.hostname or "", port, remedy)
    urls = [broker.url for broker in settings.mqtt.brokers]
    if settings.mqtt.mode == "external" and settings.mqtt.url:
        urls.append(settings.mqtt.url)
    for url in urls:
        parts = urlsplit(url)
        port = parts.port or {"mqtt": 1883, "mqtts": 8883}[parts.scheme]
        yield _connect(f"broker {parts.hostname}", parts.hostname or "", port, "Is the broker running?")


def _connect(part: str, host: str, port: int, remedy: str) -> Finding:
    async def attempt() -> None:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _reader, writer = await asyncio.open_connection(host, port)
            writer.close()

    try:
        asyncio.run(attempt())
    except (OSError, TimeoutError, socket.gaierror) as error:
        return Finding(part, False, f"{host}:{port} cannot be reached ({unanswered(error)})", remedy)
    return Finding(part, True, f"{host}:{port} answers")
