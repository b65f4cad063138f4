"""Prefixes of event types: what they select, and what was meant."""

import pytest

from gateway.events import event_families, event_types, nearest_event_type, selects_events


@pytest.mark.parametrize("prefix", ["campus.", "campus.button.", "campus.button.pressed", ""])
def test_a_beginning_of_a_known_type_selects(prefix: str) -> None:
    assert selects_events(prefix)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("campus.buton.", "campus.button."), ("campus.face.macthed", "campus.face.matched"), ("zzz", "")],
)
def test_a_slip_selects_nothing_and_what_was_meant_is_known(typed: str, meant: str) -> None:
    assert not selects_events(typed)
    assert nearest_event_type(typed) == meant


def test_every_type_is_of_a_family() -> None:
    assert all(kind.startswith(tuple(event_families())) for kind in event_types())
