"""What `/readyz` makes of tasks that fail."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.api.routes.health import readiness
from gateway.cli.status import worker_detail
from gateway.workers import GalleryState, WorkerStage, WorkerState

INCIDENTS = (
    SimpleNamespace(state="raised", discreet=False),
    SimpleNamespace(state="acknowledged", discreet=False),
    SimpleNamespace(state="raised", discreet=True),
)


def parts(*failing: str, gallery: GalleryState | None = None) -> Any:
    """A gateway without cameras, devices and destinations whose tasks fail."""
    journal = SimpleNamespace(works=True, last_position=7, statistics=SimpleNamespace(last_commit_ms=1.0))
    return SimpleNamespace(
        stores=SimpleNamespace(journal=journal, ballast=SimpleNamespace(held=True), faults=(), wrong_key=None),
        workers=SimpleNamespace(gallery=lambda: gallery or GalleryState(), workers=tuple, cameras=tuple),
        forwarders=SimpleNamespace(statuses=tuple),
        desk=SimpleNamespace(waits=False, unresolved=lambda: INCIDENTS),
        walk_tests=SimpleNamespace(current=""),
        accepting=lambda: True,
        failing_tasks=lambda: failing,
        loop_lag_ms=lambda: 0.0,
        brokers=tuple,
        panels=lambda: None,
        device_statuses=tuple,
    )


@pytest.mark.parametrize(
    ("failing", "ready"), [((), True), (("narrator",), True), (("incident desk", "narrator"), False)]
)
def test_a_gateway_whose_incident_desk_fails_is_not_ready(failing: tuple[str, ...], ready: bool) -> None:
    body = readiness(parts(*failing))
    assert (body["ready"], body["tasks"]) == (ready, {"failing": list(failing)})


def test_incidents_are_counted_but_for_silent_ones() -> None:
    assert readiness(parts())["incidents"] == {"open": 2, "raised": 1}


def test_a_list_that_the_gallery_has_not_built_is_told() -> None:
    told = readiness(parts(gallery=GalleryState(revision=3, wanted=4, waiting=("gallery", "video-1"))))["watchlist"]
    assert (told["revision"], told["wanted"], told["waiting"]) == (3, 4, ["gallery", "video-1"])


def test_a_child_that_does_not_come_back_says_why() -> None:
    found = parts()
    dead = WorkerState(
        name="gallery", role="gallery", stage=WorkerStage.CRASH_LOOP, reason="n.toml: no", remedy="Mend."
    )
    killed = WorkerState(name="video-1", role="video", stage=WorkerStage.RESTARTING, reason="it was ended by signal 9")
    back = WorkerState(name="video-2", role="video", stage=WorkerStage.READY, reason="it was ended by signal 9")
    found.workers.workers = lambda: (dead, killed, back)
    body = readiness(found)
    assert body["worker_faults"] == {
        "gallery": {"what": "n.toml: no", "remedy": "Mend."},
        "video-1": {"what": "it was ended by signal 9", "remedy": "The gateway's log says more."},
    }
    assert worker_detail(body, "gallery") == "n.toml: no. Mend."
    assert worker_detail(body, "video-2") == ""
