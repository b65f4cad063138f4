from gateway.matching import VisitBook


def test_one_visit_is_one_warning_however_often_the_person_is_recognised() -> None:
    book = VisitBook(away_seconds=30)
    assert [book.begins("p1", "cam-01", at) for at in (0, 5, 34, 60, 89.9)] == [True, False, False, False, False]


def test_who_was_away_is_on_a_new_visit() -> None:
    book = VisitBook(away_seconds=30)
    assert book.begins("p1", "cam-01", 0)
    assert book.begins("p1", "cam-01", 30.1)


def test_persons_and_cameras_are_apart() -> None:
    book = VisitBook()
    assert book.begins("p1", "cam-01", 0)
    assert book.begins("p1", "cam-02", 0)
    assert book.begins("p2", "cam-01", 0)
    assert not book.begins("p1", "cam-02", 1)


def test_who_stays_is_warned_of_again_if_asked_for() -> None:
    book = VisitBook(away_seconds=30, repeat_seconds=60)
    assert [book.begins("p", "c", at) for at in range(0, 130, 20)] == [True, False, False, True, False, False, True]


def test_time_that_goes_back_begins_a_visit() -> None:
    book = VisitBook()
    assert book.begins("p", "c", 100)
    assert book.begins("p", "c", 3)


def test_nobody_is_remembered_longer_than_their_visit() -> None:
    book = VisitBook(away_seconds=30)
    book.begins("elsewhere", "other", 0)
    for passer in range(100):
        book.begins(f"p{passer}", "c", 40.0 * passer)
    assert len(book) == 2
    assert not book.begins("elsewhere", "other", 30), "each camera has its own time"
