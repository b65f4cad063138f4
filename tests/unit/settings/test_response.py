"""Settings of the response: what contradicts itself is a fault with its place."""

from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.settings import parse_settings

SITE: dict[str, Any] = {"gateway": {"site": "east"}}


@pytest.mark.parametrize(
    ("settings", "where", "what"),
    [
        ({"incidents": {"escalate_after_seconds": [60, 30]}}, "incidents", "must rise"),
        ({"incidents": {"escalate_warnings_after_seconds": [60, 60]}}, "incidents", "must rise"),
        ({"incidents": {"flood_incidents": 4, "flood_calm_incidents": 5}}, "incidents", "would end at once"),
        ({"incidents": {"longest_shelf_hours": 9}}, "longest_shelf_hours", "less than or equal to 8"),
        ({"incidents": {"inhibitions": [{"cause": "power", "covers": []}]}}, "covers", "at least 1"),
        ({"outputs": [{"id": "s", "kind": "shelly"}]}, "outputs", "needs topic"),
        ({"outputs": [{"id": "s", "topic": "x"}]}, "outputs", "leave topic out"),
        ({"outputs": [{"id": "s", "kind": "tasmota", "topic": "a/#"}]}, "topic", "match"),
        ({"outputs": [{"id": "s"}, {"id": "s"}]}, "", "used more than once"),
        ({"procedures": [{"id": "p", "title": "t", "steps": []}]}, "steps", "at least 1"),
        ({"destinations": [{"id": "d", "url": "http://x", "audience": "press"}]}, "audience", "office"),
    ],
)
def test_a_contradiction_is_named(settings: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(SITE | settings)
    text = str(caught.value)
    assert where in text
    assert what in text


def test_without_any_of_it_the_defaults_are_those_of_the_decision() -> None:
    rules = parse_settings(SITE).incidents
    assert list(rules.escalate_after_seconds) == [30, 60, 120]
    assert (rules.acknowledgement_timeout_seconds, rules.flood_incidents, rules.forced_resolve) == (180, 10, "admin")
