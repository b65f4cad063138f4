"""The gateway answers to its own names and to addresses, to no name that somebody else points at it."""

import pytest

from gateway.api.hosts import HostNames


def status_of(*hosts: str, version: str = "1.1") -> int | None:
    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    found = HostNames(["Gateway.School.example", "::"]).problem_of({"headers": headers, "http_version": version})
    return found.status if found else None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8443",
        "127.0.0.1:8443",
        "192.0.2.1",
        "[::1]:8443",
        "[2001:db8::1]",
        "gateway.school.example",
        "GATEWAY.school.example.:443",
    ],
)
def test_own_names_and_addresses_are_served(host: str) -> None:
    assert status_of(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "gateway.school.example.evil.example",
        "127.0.0.1.nip.io",
        "localhost@evil.example",
        "evil.example:80:localhost",
        "[::1",
        "",
        "2130706433",
        "\xb2.example",
    ],
)
def test_other_names_are_misdirected(host: str) -> None:
    assert status_of(host) == 421


def test_one_host_header_and_no_more() -> None:
    assert status_of() == 400
    assert status_of("localhost", "evil.example") == 400
    assert status_of(version="1.0") is None
