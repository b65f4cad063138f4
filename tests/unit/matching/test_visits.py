from gateway.matching import VisitBook


def test_one_visit_begins_once_however_often_the_person_is_recognised() -> None:
    book = VisitBook(grace_seconds=2)
    assert [book.begins("p1", at) for at in (0, 1.5, 3.4, 5.3, 7.2)] == [True, False, False, False, False]


def test_who_was_away_is_on_a_new_visit() -> None:
    book = VisitBook(grace_seconds=2)
    assert book.begins("p1", 0)
    assert book.begins("p1", 2.1)


def test_who_stays_is_on_the_same_visit_though_not_recognised_anew() -> None:
    book = VisitBook(grace_seconds=2)
    assert book.begins("p1", 0)
    for at in (1.5, 3.0, 4.5):
        book.stays("p1", at)
    assert not book.begins("p1", 6)


def test_persons_are_apart_and_those_away_forgotten() -> None:
    book = VisitBook(grace_seconds=2)
    assert [book.begins(person, 0) for person in ("p1", "p2", "p1")] == [True, True, False]
    assert book.begins("p3", 9)
    assert len(book) == 1


def test_time_that_goes_back_begins_a_visit() -> None:
    book = VisitBook()
    assert book.begins("p", 100)
    assert book.begins("p", 3)
