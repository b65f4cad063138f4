"""What a browser may know of a walk test: not which buttons are silent, unless its post is safe for that."""

from datetime import UTC, datetime

from gateway.api.walktests import Tick, WalkTest, report_of

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
KINDS = ("press", "silent", "duress", "test", "")
WALK = WalkTest(
    id="w",
    started=NOW,
    until=NOW,
    actor="chief",
    ticks=tuple(
        Tick(device=f"btn-{kind}", name="", place="", pressed=NOW if kind else None, kind=kind) for kind in KINDS
    ),
)


def test_the_place_does_not_learn_which_button_is_silent() -> None:
    shown = WALK.shown(discreet=False)
    assert [each.kind for each in shown.ticks] == ["press", "press", "press", "test", ""]
    assert shown.missing == WALK.missing == ("btn-",)
    assert "(silent)" not in report_of(shown, "east")


def test_a_discreet_safe_post_and_a_program_do() -> None:
    assert WALK.shown(discreet=True) == WALK
    assert "(silent)" in report_of(WALK, "east")
