"""What `/readyz` and `/metrics` say of a camera is what its child said."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from gateway.api.routes import health
from gateway.wire import CameraStatus
from gateway.workers import CameraState

STATUS = CameraStatus(
    camera="cam-01",
    state="live",
    frames_seen=500,
    frames_looked=100,
    frames_skipped=400,
    looks_late=3,
    looks_failed=2,
    looks_per_second=5.0,
    frame_age_ms=41.0,
    decode_ms=2.0,
    detect_ms=6.0,
    embed_ms=7.0,
    load=0.11,
    passages=9,
    frames_rested=77,
    gate_asked=101,
    gate_moved=55,
    gate="never_shuts",
    decision_age_p95_ms=81.0,
)


def states() -> tuple[CameraState, ...]:
    common: dict[str, Any] = {"place": "", "reason": "", "worker": "video-1", "lost_since": None}
    live = CameraState(camera="cam-01", name="gate", state="live", status=STATUS, **common)
    return live, CameraState(camera="cam-02", name="yard", state="worker_away", status=None, **common)


def test_metrics_name_every_figure_of_the_cameras_that_have_some() -> None:
    parts: Any = SimpleNamespace(workers=SimpleNamespace(cameras=states))
    told = {name: samples for name, _, _, samples in health._camera_metrics(parts)}
    label = '{camera="cam-01"}'
    assert told == {
        "camera_frames_total": [(label, 500)],
        "camera_looks_total": [(label, 100)],
        "camera_looks_late_total": [(label, 3)],
        "camera_looks_failed_total": [(label, 2)],
        "camera_rested_total": [(label, 77)],
        "camera_gate_asked_total": [(label, 101)],
        "camera_gate_moved_total": [(label, 55)],
        "camera_decision_age_milliseconds": [(label, 81.0)],
        "camera_load": [(label, 0.11)],
        "camera_passages_total": [(label, 9)],
        "camera_frame_age_milliseconds": [(label, 41.0)],
    }


def test_an_age_that_is_not_known_has_no_sample() -> None:
    unseen = replace(STATUS, frame_age_ms=-1.0, decision_age_p95_ms=-1.0)
    parts: Any = SimpleNamespace(workers=SimpleNamespace(cameras=lambda: (replace(states()[0], status=unseen),)))
    told = {name: samples for name, _, _, samples in health._camera_metrics(parts)}
    assert told["camera_frame_age_milliseconds"] == told["camera_decision_age_milliseconds"] == []
    assert told["camera_frames_total"]


def test_readiness_says_what_a_camera_costs_and_whether_its_gate_hangs() -> None:
    assert health._figures(STATUS, "video-1") == {
        "worker": "video-1",
        "looks_per_second": 5.0,
        "decode_ms": 2.0,
        "detect_ms": 6.0,
        "embed_ms": 7.0,
        "decision_age_p95_ms": 81.0,
        "looks_late": 3,
        "looks_failed": 2,
        "frames": [500, 100, 400, 77],
        "resting": False,
        "gate": "never_shuts",
        "reason": "",
        "remedy": "",
        "main": ["", "", 0, 0.0],
    }
