"""Whether the gateway lives, whether it takes presses, and its figures; outside /api/v1 and without sign-in."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from gateway.alarms import DeviceStatus
from gateway.api.auth import Caller, Parts, principal_of
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.routes.session import Body
from gateway.forwarding import DestinationStatus
from gateway.settings import LOOPBACK
from gateway.wire import CameraStatus
from gateway.workers import CameraState, WorkerStage, WorkerState

router = APIRouter()
demo_router = APIRouter()
_DESK = "incident desk"
_OF_WORKERS = "The gateway's log says more."


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz", response_class=JSONResponse)
async def readyz(parts: Parts, request: Request) -> JSONResponse:
    """Presses are taken and incidents open; 503 if not. Callers on this machine learn it of every part."""
    body = readiness(parts)
    code = 200 if body["ready"] else 503
    if not _is_local(request):
        body = {
            "ready": body["ready"],
            "storage": {"ok": body["storage"]["ok"]},
            "alarms": {"accepting": parts.accepting()},
        }
    return JSONResponse(body, code)


def _is_local(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK


def is_ready(parts: ApiParts) -> bool:
    """Whether presses are taken and incidents open: storage, alarm listener and incident desk decide."""
    return parts.accepting() and parts.stores.journal.works and not _desk_fails(parts)


def _desk_fails(parts: ApiParts) -> bool:
    return parts.desk.waits or _DESK in parts.failing_tasks()


def readiness(parts: ApiParts) -> dict[str, Any]:
    """The parts of the gateway and their state."""
    journal = parts.stores.journal
    gallery, failing = parts.workers.gallery(), parts.failing_tasks()
    workers, cameras = parts.workers.workers(), parts.workers.cameras()
    return {
        "ready": is_ready(parts),
        "storage": {
            "ok": journal.works,
            "reserve": parts.stores.ballast.held,
            "last_commit_ms": round(journal.statistics.last_commit_ms, 3),
            "position": journal.last_position,
            "faults": [each.detail for each in parts.stores.faults],
        },
        "alarms": {
            "accepting": parts.accepting(),
            "brokers": {each.address: each.connected for each in parts.brokers()},
            "panels": asdict(panels) if (panels := parts.panels()) is not None else None,
            "walk_test": parts.walk_tests.current,
        },
        "tasks": {"failing": list(failing)},
        "incidents": _incidents(parts),
        "key": _key(parts),
        "loop_lag_ms": round(parts.loop_lag_ms(), 2),
        "workers": {each.name: each.stage.value for each in workers},
        "worker_faults": {each.name: _fault_of(each) for each in workers if each.reason and not _works(each)},
        "cameras": {each.camera: each.state for each in cameras},
        "figures": {each.camera: _figures(each.status, each.worker) | _loss(each) for each in cameras if each.status},
        "watchlist": {
            "revision": gallery.revision,
            "wanted": gallery.wanted,
            "people": gallery.people,
            "templates": gallery.templates,
            "left_out": gallery.skipped,
            "model": gallery.fingerprint,
            "waiting": list(gallery.waiting),
        },
        "destinations": {each.destination: each.state for each in parts.forwarders.statuses()},
        "deliveries": {each.destination: _delivery(each) for each in parts.forwarders.statuses()},
        "devices": {each.device: _device(each) for each in parts.device_statuses()},
    }


def _works(worker: WorkerState) -> bool:
    return worker.stage in (WorkerStage.READY, WorkerStage.STOPPED)


def _fault_of(worker: WorkerState) -> dict[str, str]:
    """Why a child ended that has not come back, and what can be done about it."""
    return {"what": worker.reason, "remedy": worker.remedy or _OF_WORKERS}


def _delivery(status: DestinationStatus) -> dict[str, Any]:
    """What waits for a destination, how often it was tried, what was refused for good, and why."""
    error = status.last_error if status.state == "failing" else ""
    return {"backlog": status.backlog, "tries": status.tries, "dead": status.dead, "error": error}


def _key(parts: ApiParts) -> dict[str, Any]:
    """Whether the master key is the one of this state."""
    wrong = parts.stores.wrong_key
    return {"ok": wrong is None, "detail": wrong.what if wrong else "", "remedy": wrong.remedy if wrong else ""}


def _incidents(parts: ApiParts) -> dict[str, int]:
    """How many wait, but for those of silent presses, which only some may know of."""
    open_ones = [each for each in parts.desk.unresolved() if not each.discreet]
    return {"open": len(open_ones), "raised": sum(each.state == "raised" for each in open_ones)}


def _device(status: DeviceStatus) -> dict[str, Any]:
    """How an alarm device is: heard, lost, or not heard yet since the start."""
    state = "lost" if status.lost else "heard" if status.last_seen else "not_heard"
    seen = status.last_seen.isoformat(timespec="seconds") if status.last_seen else None
    return {"state": state, "reason": status.reason, "last_seen": seen, "battery": status.battery}


def _figures(status: CameraStatus, worker: str) -> dict[str, Any]:
    """What a camera costs and how fresh its looks are."""
    return {
        "worker": worker,
        "looks_per_second": status.looks_per_second,
        "decode_ms": status.decode_ms,
        "detect_ms": status.detect_ms,
        "embed_ms": status.embed_ms,
        "decision_age_p95_ms": status.decision_age_p95_ms,
        "looks_late": status.looks_late,
        "looks_failed": status.looks_failed,
        "frames": [status.frames_seen, status.frames_looked, status.frames_skipped, status.frames_rested],
        "resting": status.resting,
        "gate": status.gate,
        "reason": status.reason,
        "remedy": status.remedy,
        "main": [status.main_state, status.main_reason, status.main_frames, status.main_decode_ms],
    }


def _loss(camera: CameraState) -> dict[str, str]:
    """Why there is no picture and what can be done: what the camera said over ONVIF, if it is that."""
    of_stream = camera.status.remedy if camera.status else ""
    return {"reason": camera.reason, "remedy": camera.remedy if camera.reason == camera.asked else of_stream}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(parts: Parts, request: Request) -> Response:
    """Figures for Prometheus (text exposition format 0.0.4).

    All of them go to callers on this machine and to tokens; others learn what `/readyz` tells them.
    """
    found = _ready_metrics(parts) + (_metrics(parts) if await _sees_figures(parts, request) else [])
    lines: list[str] = []
    for name, kind, text, samples in found:
        lines += [f"# HELP campus_{name} {text}", f"# TYPE campus_{name} {kind}"]
        lines += [f"campus_{name}{labels} {value}" for labels, value in samples]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


async def _sees_figures(parts: ApiParts, request: Request) -> bool:
    """Whether a caller may have names of what is installed, and counters that a silent press moves.

    A token may read both elsewhere, whatever its role; a browser is no reader of figures.
    """
    if _is_local(request):
        return True
    has_token = request.headers.get("Authorization", "").startswith("Bearer ")
    return has_token and (await principal_of(request, parts)).sees_discreet


_Samples = list[tuple[str, float]]


def _ready_metrics(parts: ApiParts) -> list[tuple[str, str, str, _Samples]]:
    return [
        ("ready", "gauge", "Presses are taken and incidents open.", [("", int(is_ready(parts)))]),
        ("accepting", "gauge", "Presses are taken.", [("", int(parts.accepting()))]),
        ("storage_ok", "gauge", "The journal works.", [("", int(parts.stores.journal.works))]),
    ]


def _metrics(parts: ApiParts) -> list[tuple[str, str, str, _Samples]]:
    journal, endpoint = parts.stores.journal, parts.endpoint()
    destinations = parts.forwarders.statuses()
    statistics, panels, devices = journal.statistics, parts.panels(), parts.device_statuses()

    return [
        ("journal_position", "gauge", "Position of the newest event.", [("", journal.last_position)]),
        ("journal_commits_total", "counter", "Commits with full sync.", [("", statistics.commits)]),
        ("journal_commit_seconds", "gauge", "Duration of the newest commit.", [("", statistics.last_commit_ms / 1e3)]),
        ("loop_lag_seconds", "gauge", "How late the alarm loop was lately.", [("", parts.loop_lag_ms() / 1e3)]),
        ("stream_clients", "gauge", "Open event streams.", [("", parts.hub.clients)]),
        ("mqtt_connections", "gauge", "Connected devices.", [("", endpoint.connections if endpoint else 0)]),
        ("mqtt_messages_total", "counter", "Messages of devices.", [("", endpoint.messages if endpoint else 0)]),
        ("mqtt_refused_total", "counter", "Clients turned away.", [("", endpoint.refused if endpoint else 0)]),
        (
            "sia_acknowledged_total",
            "counter",
            "Messages of panels on disk.",
            [("", panels.acknowledged if panels else 0)],
        ),
        ("sia_refused_total", "counter", "Messages of panels refused.", [("", panels.refused if panels else 0)]),
        ("devices_lost", "gauge", "Alarm devices that are lost.", [("", sum(each.lost for each in devices))]),
        ("device_battery_percent", "gauge", "Battery of a device.", _batteries(devices)),
        (
            "destination_backlog",
            "gauge",
            "Events that wait for a destination.",
            [(f'{{destination="{each.destination}"}}', each.backlog) for each in destinations],
        ),
        *_camera_metrics(parts),
        (
            "worker_restarts_total",
            "counter",
            "How often a child was started anew.",
            [(f'{{worker="{each.name}"}}', each.restarts) for each in parts.workers.workers()],
        ),
        (
            "worker_resident_megabytes",
            "gauge",
            "Memory of a child.",
            [(f'{{worker="{each.name}"}}', each.resident_megabytes) for each in parts.workers.workers()],
        ),
    ]


def _camera_metrics(parts: ApiParts) -> list[tuple[str, str, str, _Samples]]:
    cameras = parts.workers.cameras()

    def per_camera(field: str) -> _Samples:
        return [(f'{{camera="{c.camera}"}}', getattr(c.status, field)) for c in cameras if c.status is not None]

    def known(field: str) -> _Samples:
        """Of an age that is not known, which is negative in a status, there is no sample."""
        return [(label, value) for label, value in per_camera(field) if value >= 0]

    return [
        ("camera_frames_total", "counter", "Frames that came.", per_camera("frames_seen")),
        ("camera_looks_total", "counter", "Frames that were looked at.", per_camera("frames_looked")),
        ("camera_looks_late_total", "counter", "Looks at a picture older than 300 ms.", per_camera("looks_late")),
        ("camera_looks_failed_total", "counter", "Looks that ended in an error.", per_camera("looks_failed")),
        ("camera_rested_total", "counter", "Packets not decoded: the scene was still.", per_camera("frames_rested")),
        ("camera_gate_asked_total", "counter", "Pictures that the motion gate judged.", per_camera("gate_asked")),
        ("camera_gate_moved_total", "counter", "Pictures in which something moved.", per_camera("gate_moved")),
        ("camera_decision_age_milliseconds", "gauge", "Age at decision, p95.", known("decision_age_p95_ms")),
        ("camera_load", "gauge", "CPU seconds a second: decoding, searching, comparing.", per_camera("load")),
        ("camera_passages_total", "counter", "Visits that ended.", per_camera("passages")),
        ("camera_frame_age_milliseconds", "gauge", "Age of the newest frame.", known("frame_age_ms")),
    ]


def _batteries(devices: tuple[DeviceStatus, ...]) -> _Samples:
    return [(f'{{device="{each.device}"}}', each.battery) for each in devices if each.battery is not None]


class DemoPress(Body):
    """Which press the demo's button makes."""

    kind: str = "press"


@demo_router.post("/demo/press", status_code=202)
async def demo_press(body: DemoPress, _caller: Caller, parts: Parts) -> dict[str, str]:
    """Press the demo's simulated button; there is none outside the demo."""
    if parts.demo_press is None:
        raise Problem(404, "this is no demo", code="no_demo")
    await parts.demo_press(body.kind)
    return {"pressed": body.kind}
