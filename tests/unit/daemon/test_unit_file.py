"""What the shipped systemd unit forbids must not be what the gateway does."""

from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[3] / "config" / "campus-gateway.service"


@pytest.fixture
def lines() -> list[str]:
    return UNIT.read_text("utf-8").splitlines()


def test_it_tells_the_boot_that_it_hides(lines: list[str]) -> None:
    assert "ProcSubset=pid" not in lines or "Environment=GATEWAY_BOOT_ID=%b" in lines


def test_a_call_that_it_forbids_is_an_error_and_no_death(lines: list[str]) -> None:
    assert "SystemCallErrorNumber=EPERM" in lines


def test_it_allows_what_lets_presses_go_first(lines: list[str]) -> None:
    """`gateway.workers.turns` and `give_way` of a child; systemd's set @resources, which is taken away, holds them."""
    filters = [line.removeprefix("SystemCallFilter=") for line in lines if line.startswith("SystemCallFilter=")]
    assert "~@privileged @resources" in filters
    allowed = set(filters[-1].split())
    assert {"sched_setattr", "sched_setscheduler", "setpriority"} <= allowed
