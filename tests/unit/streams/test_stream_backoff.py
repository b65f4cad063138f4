"""Pauses between attempts."""

from gateway.streams import Backoff, LossReason


def ceilings(reason: LossReason, times: int) -> list[float]:
    backoff = Backoff(lambda low, high: high)
    return [backoff.fail(reason) for _ in range(times)]


def test_the_ceiling_doubles_from_one_second_to_thirty() -> None:
    assert ceilings(LossReason.REFUSED, 7) == [1, 2, 4, 8, 16, 30, 30]


def test_the_jitter_is_full() -> None:
    assert Backoff(lambda low, high: low).fail(LossReason.REFUSED) == 0
    drawn = {Backoff().fail(LossReason.REFUSED) for _ in range(20)}
    assert len(drawn) > 1
    assert all(0 <= pause <= 1 for pause in drawn)


def test_wrong_passwords_are_tried_thrice_and_then_every_few_minutes() -> None:
    assert ceilings(LossReason.UNAUTHORIZED, 5) == [1, 2, 600, 600, 600]
    assert Backoff(lambda low, high: low).fail(LossReason.UNAUTHORIZED) == 0
    patient = Backoff(lambda low, high: low)
    assert [patient.fail(LossReason.UNAUTHORIZED) for _ in range(3)][-1] == 300


def test_success_begins_anew() -> None:
    backoff = Backoff(lambda low, high: high)
    for _ in range(5):
        backoff.fail(LossReason.UNAUTHORIZED)
    backoff.succeed()
    assert backoff.failures == 0
    assert backoff.fail(LossReason.UNAUTHORIZED) == 1
    assert backoff.failures == 1


def test_a_corrected_password_is_tried_once_after_refusals_of_the_former_one() -> None:
    backoff = Backoff(lambda low, high: high, refused_passwords=3)
    assert backoff.fail(LossReason.UNAUTHORIZED) == 600
    assert backoff.refused_passwords == 4
