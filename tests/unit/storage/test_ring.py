"""What the ring in memory answers is what the whole list would."""

import random
from datetime import UTC, datetime

import pytest

from gateway.events import ButtonPressed, ButtonTested, Severity
from gateway.storage.passing import passes
from gateway.storage.ring import Ring
from gateway.storage.values import EventFilter, Stored

NOW = datetime.now(UTC)
FIRST, MOST = 41, 50


def stored(position: int, chance: random.Random) -> Stored:
    device = f"b{chance.randint(1, 4)}"
    kind = chance.choice((ButtonPressed, ButtonTested))
    event = kind(id=f"p{position}", source=f"/site/s/button/{device}", subject=device, time=NOW, device=device)
    return Stored(position, event, b"")


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        EventFilter(source="/site/s/button/b1"),
        EventFilter(source="/site/s/button/b2", types=(ButtonTested.TYPE,)),
        EventFilter(source="/site/s/button/gone"),
        EventFilter(severities=(Severity.CRITICAL,)),
    ],
)
def test_each_read_is_as_of_a_plain_list(wanted: EventFilter | None) -> None:
    chance = random.Random(3)
    ring, everything = Ring(MOST), list[Stored]()
    assert ring.read(0, 10, wanted) is None
    for position in range(FIRST, FIRST + 200):
        everything.append(stored(position, chance))
        ring.add(everything[-1])
        held = everything[-MOST:]
        for after in (held[0].position - 1, chance.randint(held[0].position, position), position):
            limit = chance.randint(1, 60)
            good = [each for each in held if each.position > after and (wanted is None or passes(wanted)(each))]
            assert ring.read(after, limit, wanted) == good[:limit]
        assert ring.read(held[0].position - 2, 10, wanted) is None


def test_it_holds_no_source_whose_events_are_gone() -> None:
    chance = random.Random(4)
    ring = Ring(MOST)
    for position in range(1, 500):
        device = f"b{position}"
        event = ButtonPressed(id=device, source=device, subject=device, time=NOW, device=device)
        ring.add(Stored(position, event, b""))
    ring.add(stored(500, chance))
    assert len(ring._of_source) == MOST
