"""Posts and waits on a real store: what is kept over a restart, who is there, and who can hear."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from unit.incidents.memory import START, incident

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.incidents import PostBook
from gateway.settings import StorageSettings
from gateway.storage import Deadline, Post, Stores, open_storage


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def stores(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stores]:
    opened = await open_storage(StorageSettings(directory=tmp_path / "state", reserve_megabytes=1), clock)
    yield opened
    await opened.close()


@pytest.fixture
async def book(stores: Stores, clock: ManualClock) -> PostBook:
    book = PostBook(stores.posts, clock)
    await book.load()
    clock.advance(20)
    return book


LOUD, SILENT = incident("loud"), incident("silent", discreet=True)


async def heard(
    book: PostBook, post: Post | None, *, sound: bool = True, able: bool = True, session: str = "s"
) -> None:
    await book.heard_from(session, user="wang", able=able, post=post, sound=sound)


async def test_a_post_is_known_by_its_token_over_a_restart(book: PostBook, stores: Stores, clock: ManualClock) -> None:
    made = await book.enrol("a token", name="Gate", place="East", discreet_safe=True, by="chief")
    again = PostBook(stores.posts, clock)
    await again.load()
    assert again.of_token("a token") == made
    assert again.of_token("another") is None
    assert again.of_token("") is None
    assert "a token" not in repr(made)


async def test_a_post_can_be_changed_and_removed(book: PostBook, stores: Stores) -> None:
    made = await book.enrol("t", name="Gate", place="", discreet_safe=True, by="chief")
    await book.change(made.id, name=None, place="East", discreet_safe=False)
    (kept,) = await stores.posts.posts()
    assert (kept.name, kept.place, kept.discreet_safe) == ("Gate", "East", False)
    await book.remove(made.id)
    assert await stores.posts.posts() == []
    for act in (book.remove(made.id), book.change(made.id, name="x", place=None, discreet_safe=None)):
        with pytest.raises(PermanentError, match="no such post"):
            await act


async def test_who_can_sound_attends_a_loud_incident(book: PostBook) -> None:
    assert not book.attends(LOUD)
    await heard(book, None, sound=False)
    assert not book.attends(LOUD)
    await heard(book, None)
    assert book.attends(LOUD)
    book.gone("s")
    assert not book.attends(LOUD)


async def test_a_viewer_attends_nothing_because_he_cannot_acknowledge(book: PostBook) -> None:
    await heard(book, None, able=False)
    assert not book.attends(LOUD)


async def test_only_a_post_that_may_show_it_attends_a_silent_one(book: PostBook) -> None:
    unsafe = await book.enrol("u", name="Hall", place="", discreet_safe=False, by="chief")
    safe = await book.enrol("s", name="Gate", place="", discreet_safe=True, by="chief")
    await heard(book, None, session="1")
    await heard(book, unsafe, session="2")
    assert not book.attends(SILENT)
    await heard(book, safe, session="3", sound=False)
    assert book.attends(SILENT)


@pytest.mark.parametrize("jump", [0.0, 3600.0, -3600.0])
async def test_a_console_that_is_silent_for_half_a_minute_is_gone(
    book: PostBook, clock: ManualClock, jump: float
) -> None:
    await heard(book, None)
    clock.jump(jump)
    clock.advance(30)
    assert book.attends(LOUD)
    clock.advance(0.1)
    assert not book.attends(LOUD)
    assert book.present() == ()


async def test_after_a_start_consoles_have_some_seconds_to_come_back(stores: Stores, clock: ManualClock) -> None:
    book = PostBook(stores.posts, clock)
    await book.load()
    assert book.attends(LOUD)
    clock.advance(20)
    assert not book.attends(LOUD)


async def test_when_a_post_was_there_last_is_kept_once_a_minute(
    book: PostBook, stores: Stores, clock: ManualClock
) -> None:
    post = await book.enrol("t", name="Gate", place="", discreet_safe=False, by="chief")
    for _ in range(13):
        await heard(book, book.of_token("t"))
        clock.advance(10)
    (kept,) = await stores.posts.posts()
    assert kept.seen is not None
    assert (clock.now() - kept.seen).total_seconds() <= 80
    assert post.seen is None


async def test_since_when_incidents_wait_is_kept_and_forgotten(stores: Stores) -> None:
    one = Deadline("i1", "raised x", "boot", 12.5, START)
    await stores.incidents.keep_deadlines([one, Deadline("i2", "raised y", "boot", 13.0, START)], [])
    again = Deadline("i1", "acknowledged z", "boot", 20.0, START)
    await stores.incidents.keep_deadlines([again], ["i2", "never there"])
    assert await stores.incidents.deadlines() == [again]


async def test_a_list_without_discreet_incidents_has_whole_pages(stores: Stores) -> None:
    known = [
        incident(f"i{number}", opened=START + timedelta(seconds=number), discreet=number % 2 == 0)
        for number in range(10)
    ]
    await stores.incidents.apply(1, known)
    first = await stores.incidents.list(["raised"], 3, discreet=False)
    assert [each.id for each in first] == ["i9", "i7", "i5"]
    second = await stores.incidents.list(["raised"], 3, first[-1].id, discreet=False)
    assert [each.id for each in second] == ["i3", "i1"]
    assert len(await stores.incidents.list()) == 10


async def test_a_heartbeat_that_was_under_way_takes_no_change_of_its_post_back(
    book: PostBook, clock: ManualClock
) -> None:
    """The request knows the post as it was when it came; an administrator may change or remove it meanwhile."""
    known = await book.enrol("t", name="Gate", place="", discreet_safe=True, by="chief")
    await book.change(known.id, name=None, place=None, discreet_safe=False)
    clock.advance(120)
    await heard(book, known)
    changed = book.get(known.id)
    assert (changed.discreet_safe, changed.seen) == (False, clock.now())
    await book.remove(known.id)
    clock.advance(120)
    await heard(book, known)
    assert book.all() == ()
