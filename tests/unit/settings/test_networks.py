"""The rule for addresses of cameras: pure, and not to be fooled by spellings."""

import pytest
from pydantic import ValidationError

from gateway.settings import VisionSettings, may_be_camera, name_or_camera

SITE = ("192.168.7.0/24", "fd00:7::/64")


@pytest.mark.parametrize("address", ["10.1.2.3", "172.31.0.9", "192.168.1.64", "fd12::1", "::ffff:10.0.0.1"])
def test_without_networks_every_private_address_will_do(address: str) -> None:
    assert may_be_camera(address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1", "0x7f.1", "2130706433", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "169.254.169.254",  # noqa: S104  # not bound
        "224.0.0.1", "ff02::1", "8.8.8.8", "2001:4860::1", "fe80::1%eth0", "camera", "", "192.168.1.1.evil",
    ],
)  # fmt: skip
def test_without_networks_nothing_else_will_do(address: str) -> None:
    assert not may_be_camera(address, ())


@pytest.mark.parametrize(("address", "may"), [("192.168.7.9", True), ("fd00:7::9", True), ("192.168.8.9", False)])
def test_with_networks_only_they_count(address: str, may: bool) -> None:
    assert may_be_camera(address, SITE) is may
    assert name_or_camera(address, SITE) is may


def test_loopback_is_a_camera_only_where_a_network_names_it() -> None:
    assert may_be_camera("127.0.0.1", ("127.0.0.0/8",))
    assert not may_be_camera("127.0.0.1", SITE)


def test_a_name_is_judged_later() -> None:
    assert name_or_camera("cam-01.school.example", SITE)


def test_networks_are_checked_when_the_settings_are_read() -> None:
    assert VisionSettings(camera_networks=("192.168.1.0/24",)).camera_networks == ("192.168.1.0/24",)
    for wrong in ("192.168.1.1/24", "cameras", "10.0.0.0/40"):
        with pytest.raises(ValidationError, match="is no network"):
            VisionSettings(camera_networks=(wrong,))
