"""Who was there: strangers, the listed, and the time in which nobody looked."""

import pytest

from gateway.vision.video.presence import Presence, Stay


@pytest.fixture
def presence() -> Presence:
    made = Presence()
    for moment in (100, 115, 130):
        made.looked(moment)
    return made


@pytest.mark.parametrize(
    ("begin", "end", "there"), [(100, 109.9, False), (100, 110, True), (112, 113, True), (115.1, 130, False)]
)
def test_a_stranger_was_there_from_the_first_face_to_the_last(
    presence: Presence, begin: float, end: float, there: bool
) -> None:
    presence.note("a", Stay(110, 112, False))
    presence.note("a", Stay(114, 115, False))
    assert presence.strangers(begin, end) is there


def test_who_is_recognised_late_was_no_stranger_before(presence: Presence) -> None:
    presence.note("a", Stay(110, 112, False))
    assert presence.strangers(105, 115)
    presence.note("a", Stay(110, 113, True))
    assert not presence.strangers(105, 115)
    presence.note("a", Stay(113, 114, False))
    assert not presence.strangers(105, 115)


def test_before_the_first_look_anybody_may_have_been_there(presence: Presence) -> None:
    assert presence.strangers(99, 105)
    assert Presence().strangers(0, 1)


def test_where_nobody_has_looked_for_long_anybody_may_have_been_there(presence: Presence) -> None:
    assert not presence.strangers(105, 145)
    assert presence.strangers(105, 145.1)
    presence.looked(150)
    assert presence.strangers(140, 150)
    assert not presence.strangers(150, 151)


def test_a_picture_that_nobody_looked_at_may_have_shown_anybody(presence: Presence) -> None:
    presence.rested()
    assert presence.strangers(131, 132)
    presence.looked(132)
    assert presence.strangers(120, 133)
    assert not presence.strangers(132, 133)


def test_what_no_clip_reaches_is_forgotten(presence: Presence) -> None:
    for number in range(50):
        presence.note(str(number), Stay(110 + number, 111 + number, False))
    presence.looked(750)
    assert 0 < len(vars(presence)["_stays"]) < 15
