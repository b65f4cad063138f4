"""How often and how fast a child is started anew."""

from gateway.workers import RestartBudget


def even() -> RestartBudget:
    return RestartBudget(jitter=lambda: 0.5)


def test_delays_grow_until_the_loop_and_then_stay_slow() -> None:
    budget = even()
    delays = [budget.note_death(at) for at in range(7)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 30.0, 30.0]
    assert budget.looping


def test_deaths_that_lie_apart_are_no_loop() -> None:
    budget = even()
    for at in range(0, 1000, 61):
        budget.note_ready(at - 50)
        assert budget.note_death(at) == 0.2
    assert not budget.looping


def test_a_loop_ends_only_after_a_whole_window_of_life() -> None:
    budget = even()
    for at in range(6):
        budget.note_death(at)
    budget.note_ready(30)
    assert budget.looping
    budget.note_ready(66)
    assert not budget.looping


def test_a_child_that_dies_slowly_and_is_never_ready_is_in_a_loop_too() -> None:
    budget = even()
    budget.note_death(0)
    budget.note_death(45)
    assert not budget.looping
    budget.note_death(90)
    assert budget.looping


def test_jitter_spreads_the_delays() -> None:
    assert RestartBudget(jitter=lambda: 0.0).note_death(0) < RestartBudget(jitter=lambda: 1.0).note_death(0)
