"""Ports that a camera tells are tried, but not without end."""

import pytest

from gateway.cameras import OnvifAddress
from gateway.cameras.rehosting import Rehoster


def test_a_camera_that_tells_a_thousand_ports_has_eight_of_them_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def answers(_self: Rehoster, port: int) -> bool:
        tried.append(port)
        return True

    monkeypatch.setattr(Rehoster, "_try", answers)
    rehoster = Rehoster(OnvifAddress("10.0.0.5", 80))
    told = [rehoster.service(f"http://10.0.0.5:{port}/x") for port in range(1000, 2000)]
    assert tried == list(range(1000, 1008))
    assert told[7:9] == ["http://10.0.0.5:1007/x", "http://10.0.0.5:80/x"]
    rehoster.forget()
    assert rehoster.service("http://10.0.0.5:1999/x") == "http://10.0.0.5:1999/x"
