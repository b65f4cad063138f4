"""What a browser may know of a walk test: not which buttons are silent, unless its post is safe for that."""

from datetime import UTC, datetime

from gateway.api.reach import Reach
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
    assert "(silent)" not in report_of(shown, "east", {}, NOW)


def test_a_discreet_safe_post_and_a_program_do() -> None:
    assert WALK.shown(discreet=True) == WALK
    assert "(silent)" in report_of(WALK, "east", {}, NOW)


def reach(device: str, reasons: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> Reach:
    return Reach(device=device, name="", place="", reaches=not reasons, reasons=reasons, warnings=warnings)


def test_the_report_says_whether_a_press_would_reach_the_office_now() -> None:
    cut, doubtful = reach("btn-press", ("no_destination",)), reach("btn-test", (), ("destinations_unproved",))
    report = report_of(WALK, "east", {each.device: each for each in (cut, doubtful)}, NOW)
    lines = report.splitlines()
    of = {name: next(each for each in lines if f"  {name}  " in each) for name in ("btn-press", "btn-test")}
    assert "would not reach the office: 1" in report
    assert of["btn-press"].endswith("DOES NOT REACH the office now: no_destination")
    assert of["btn-test"].endswith("reaches the office now (destinations_unproved)")
