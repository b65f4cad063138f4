"""A caller is known by its head: bearer token or session cookie, if it was good lately."""

import pytest

from gateway.api.known import KnownCredentials, credential_of
from gateway.storage import hash_of


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([(b"authorization", b"Bearer gw_1 ")], "gw_1"),
        ([(b"cookie", b"a=b; session=s1;c=d")], "s1"),
        ([(b"cookie", b"session=s1"), (b"authorization", b"Bearer gw_1")], "gw_1"),
        ([(b"cookie", b"a=b"), (b"cookie", b"session=s2")], "s2"),
    ],
)
def test_the_credential_of_a_head(headers: list[tuple[bytes, bytes]], token: str) -> None:
    assert credential_of(headers, b"session") == hash_of(token)


@pytest.mark.parametrize(
    "headers",
    [[], [(b"cookie", b"xsession=s1; session")], [(b"cookie", b"session=")], [(b"authorization", b"Basic YTpi")]],
)
def test_a_head_without_credential(headers: list[tuple[bytes, bytes]]) -> None:
    assert credential_of(headers, b"session") is None


def test_what_is_good_no_longer_is_forgotten() -> None:
    known = KnownCredentials()
    known.note("k", good=True)
    assert "k" in known
    known.note("k", good=False)
    assert "k" not in known
    known.note("k", good=False)


def test_of_very_many_the_newest_are_known() -> None:
    known = KnownCredentials()
    for number in range(10_001):
        known.note(f"k{number}", good=True)
    assert "k0" not in known
    assert "k10000" in known
