"""Who is told all figures: this machine and tokens; others learn only whether presses are taken."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from gateway.alarms import DeviceStatus
from gateway.api.known import KnownCredentials
from gateway.api.problems import Problem
from gateway.api.routes.health import metrics
from gateway.clock import ManualClock
from gateway.storage import ApiToken, hash_of

CLOCK = ManualClock()
TOKEN = ApiToken(
    id="t", key=hash_of("gw_good"), name="prometheus", role="viewer", created=CLOCK.now(), used=CLOCK.now()
)
SHORT = {"campus_ready", "campus_accepting", "campus_storage_ok"}


async def token(key: str) -> ApiToken | None:
    return TOKEN if key == TOKEN.key else None


def parts() -> Any:
    """A gateway with one button, whose battery and name are figures."""
    statistics = SimpleNamespace(commits=5, last_commit_ms=1.0)
    journal = SimpleNamespace(works=True, last_position=7, statistics=statistics)
    return SimpleNamespace(
        stores=SimpleNamespace(journal=journal, accounts=SimpleNamespace(token=token)),
        workers=SimpleNamespace(workers=tuple, cameras=tuple),
        forwarders=SimpleNamespace(statuses=tuple),
        hub=SimpleNamespace(clients=0),
        desk=SimpleNamespace(waits=False),
        known=KnownCredentials(),
        clock=CLOCK,
        accepting=lambda: True,
        failing_tasks=tuple,
        loop_lag_ms=lambda: 0.0,
        endpoint=lambda: None,
        panels=lambda: None,
        device_statuses=lambda: (DeviceStatus(device="btn-01", battery=50.0),),
    )


def request(host: str, **headers: str) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "client": (host, 40000), "headers": raw})


async def names(asked: Request) -> set[str]:
    body = bytes((await metrics(parts(), asked)).body).decode()
    return {line.partition(" ")[0].partition("{")[0] for line in body.splitlines() if not line.startswith("#")}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_this_machine_is_told_all_figures(host: str) -> None:
    assert await names(request(host)) > SHORT | {"campus_journal_position", "campus_device_battery_percent"}


async def test_the_network_learns_no_more_than_of_readyz() -> None:
    assert await names(request("10.0.0.9")) == SHORT


async def test_a_token_is_told_all_figures_from_anywhere() -> None:
    told = await names(request("10.0.0.9", Authorization="Bearer gw_good"))
    assert told == await names(request("127.0.0.1"))


async def test_a_token_that_is_none_is_told_so() -> None:
    with pytest.raises(Problem) as refused:
        await metrics(parts(), request("10.0.0.9", Authorization="Bearer gw_bad"))
    assert refused.value.status == 401
