"""From notices to findings: changes only, bounded, contacts first."""

from datetime import UTC, datetime, timedelta

from gateway.cameras.eventing.findings import Finding, FindingBook
from gateway.cameras.eventing.notices import Notice
from gateway.cameras.eventing.topics import Kind

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOPICS = {
    Kind.INPUT: "Device/Trigger/DigitalInput",
    Kind.MOTION: "VideoSource/MotionAlarm",
    Kind.TAMPER: "RuleEngine/TamperDetector/Tamper",
    Kind.STORAGE: "Device/HardwareFailure/StorageFailure",
    Kind.OUTPUT: "Device/Trigger/Relay",
}


def notice(kind: Kind, *, active: bool, initial: bool = False, source: str = "1") -> Notice:
    return Notice(TOPICS[kind], {"Token": source}, {"State": "true" if active else "false"}, initial)


def take(book: FindingBook, *notices: Notice, at: float = 0.0) -> list[Finding]:
    return book.take(notices, timedelta(), NOW, at)


def test_a_contact_is_told_when_it_changes_and_at_first() -> None:
    book = FindingBook()

    first = take(book, notice(Kind.INPUT, active=False, initial=True))
    again = take(book, notice(Kind.INPUT, active=False, initial=True))
    closed = take(book, notice(Kind.INPUT, active=True))

    assert [(each.active, each.initial, each.changed) for each in first] == [(False, True, False)]
    assert again == []
    assert [(each.active, each.initial, each.changed) for each in closed] == [(True, False, True)]


def test_a_contact_that_closed_during_a_loss_is_a_change() -> None:
    book = FindingBook()
    take(book, notice(Kind.INPUT, active=False))
    book.lost()

    (found,) = take(book, notice(Kind.INPUT, active=True, initial=True))

    assert (found.active, found.initial, found.changed) == (True, True, True)


def test_contacts_stand_before_motion() -> None:
    found = take(FindingBook(), notice(Kind.MOTION, active=True), notice(Kind.INPUT, active=True))

    assert [each.kind for each in found] == [Kind.INPUT, Kind.MOTION]


def test_a_storm_of_motion_is_bounded_and_counted() -> None:
    book = FindingBook()
    storm = ((notice(Kind.MOTION, active=bool(step % 2)), step / 100) for step in range(1000))
    found = [each for said, at in storm for each in take(book, said, at=at)]

    assert len(found) == 2
    assert found[1].withheld > 200


def test_motion_that_never_ends_counts_anew_after_half_a_minute() -> None:
    book = FindingBook()
    found = [each for second in range(70) for each in take(book, notice(Kind.MOTION, active=True), at=second)]

    assert len(found) == 3


def test_a_beginning_that_was_withheld_is_told_when_motion_goes_on() -> None:
    book = FindingBook()
    take(book, notice(Kind.MOTION, active=True))
    book.lost()
    take(book, notice(Kind.MOTION, active=True, initial=True), at=1)
    found = [each for tenth in range(100) for each in take(book, notice(Kind.MOTION, active=True), at=1 + tenth / 10)]

    assert [each.withheld for each in found] == [1]


def test_motion_after_a_loss_is_new_and_motion_at_the_start_is_none() -> None:
    book = FindingBook()
    assert take(book, notice(Kind.MOTION, active=True, initial=True)) == []
    assert take(book, notice(Kind.MOTION, active=True), at=10) != []
    book.lost()
    assert take(book, notice(Kind.MOTION, active=True), at=20) != []


def test_a_chattering_contact_is_bounded_and_ends_in_its_true_state() -> None:
    book = FindingBook()
    found = [
        each for step in range(400) for each in take(book, notice(Kind.INPUT, active=step % 2 == 0), at=step / 100)
    ]
    assert len(found) == 100
    take(book, notice(Kind.INPUT, active=True), at=4.5)

    (last,) = take(book, at=14.5)

    assert last.active
    assert last.withheld > 250


def test_tampering_is_told_at_its_begin_and_its_end_and_once_over_losses() -> None:
    book = FindingBook()
    assert take(book, notice(Kind.TAMPER, active=False, initial=True)) == []
    assert [each.active for each in take(book, notice(Kind.TAMPER, active=True), at=10)] == [True]
    book.lost()
    assert take(book, notice(Kind.TAMPER, active=True, initial=True), at=20) == []
    assert [each.active for each in take(book, notice(Kind.TAMPER, active=False), at=30)] == [False]


def test_a_relay_is_no_finding() -> None:
    assert take(FindingBook(), notice(Kind.OUTPUT, active=True)) == []


def test_unknown_topics_are_counted_and_their_number_is_bounded() -> None:
    book = FindingBook()
    for number in range(1000):
        take(book, Notice(f"Acme/{number % 200}", data={"State": "true"}))

    assert len(book.unknown_topics) == 100
    assert book.unknown_topics["Acme/1"] == 5


def test_inputs_that_a_camera_makes_up_are_bounded() -> None:
    book = FindingBook()
    found = [each for number in range(500) for each in take(book, notice(Kind.INPUT, active=True, source=str(number)))]

    assert len(found) == 64


def test_a_time_before_all_times_is_now() -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    closed = Notice(TOPICS[Kind.INPUT], {"Token": "1"}, {"State": "true"}, said_at=first)

    (found,) = FindingBook().take([closed], timedelta(hours=1), NOW, 0.0)

    assert found.at == NOW


def test_detectors_without_end_leave_room_for_a_contact() -> None:
    book = FindingBook()
    take(book, *(notice(Kind.MOTION, active=True, source=str(each)) for each in range(500)))

    (found,) = take(book, notice(Kind.INPUT, active=True))

    assert found.kind is Kind.INPUT


def test_inputs_without_end_are_bounded() -> None:
    assert len(take(FindingBook(), *(notice(Kind.INPUT, active=True, source=str(each)) for each in range(500)))) == 64


def test_a_camera_whose_inputs_flap_is_bounded_and_its_quiet_button_is_heard() -> None:
    book = FindingBook()
    told = 0
    for step in range(601):
        storm = [notice(Kind.INPUT, active=bool(step % 2), source=f"flapping-{number}") for number in range(50)]
        told += len(take(book, *storm, at=step / 100))
    assert 200 <= told <= 200 + 51 * 4

    (closed,) = take(book, notice(Kind.INPUT, active=True, source="button"), at=6.0)
    assert (closed.token, closed.active) == ("button", True)
    ends = take(book, at=30.0)
    assert {each.token for each in ends} >= {f"flapping-{number}" for number in range(4)}
