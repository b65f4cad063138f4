"""The watch-list's way: chunks to the gallery child, snapshots to the video children, and when a revision is done."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.wire import WHOLE_LIST, GalleryApplied, GalleryRows, GallerySnapshot, Message, SealedRow
from gateway.workers import GalleryFeed
from gateway.workers.feed import chunks


@dataclass
class Child:
    name: str
    ready: bool = True
    got: list[Message] = field(default_factory=list)
    memories: list[int] = field(default_factory=list)

    def offer(self, message: Message, fds: Sequence[int] = ()) -> bool:
        self.got.append(message)
        self.memories.extend(os.fstat(each).st_ino for each in fds)
        return True

    async def send(self, message: Message) -> bool:
        return self.offer(message)


@dataclass
class Store:
    revision: int = 1
    people: int = 1
    failures: int = 0
    template: bytes = b"t"
    fault: Exception | None = None

    async def rows(self) -> tuple[int, Sequence[SealedRow]]:
        if self.failures:
            self.failures -= 1
            raise self.fault or TransientError("the disk is busy")
        rows = [row(number) for number in range(self.people)]
        return self.revision, [*rows[:1], *(replace(each, template=self.template) for each in rows[1:])]


def row(number: int) -> SealedRow:
    return SealedRow(
        person=f"p{number}", category="", photo=f"f{number}", wrapped_key=b"k", template=b"t", fingerprint="m"
    )


def snapshot(revision: int) -> tuple[GallerySnapshot, list[int]]:
    message = GallerySnapshot(revision=revision, people=1, templates=1, size=1, fingerprint="m")
    return message, [os.memfd_create("test")]


@asynccontextmanager
async def running(store: Store, clock: ManualClock | None = None) -> AsyncIterator[GalleryFeed]:
    feed = GalleryFeed(store.rows, clock or ManualClock())
    task = asyncio.create_task(feed.run())
    yield feed
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    feed.close()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_large_list_is_sent_in_bounded_chunks_and_an_empty_one_in_one() -> None:
    many = list(chunks(3, [row(number) for number in range(1201)]))
    assert [(each.first, each.last, len(each.rows)) for each in many] == [
        (True, False, 500),
        (False, False, 500),
        (False, True, 201),
    ]
    assert [(each.first, each.last, each.rows) for each in chunks(4, [])] == [(True, True, ())]


async def test_the_gallery_child_is_fed_when_it_is_ready_and_when_the_list_changes() -> None:
    store, keeper = Store(), Child("gallery")
    async with running(store) as feed:
        feed.changed()
        await settled()
        feed.keeper_ready(keeper)
        await settled()
        store.revision = 2
        feed.changed()
        await settled()
    assert [each.revision for each in keeper.got if isinstance(each, GalleryRows)] == [1, 2]


async def test_a_gallery_child_gets_the_whole_list_once_and_then_what_changed() -> None:
    store, keeper = Store(people=3), Child("gallery")
    async with running(store) as feed:
        feed.keeper_ready(keeper)
        await settled()
        store.revision, store.people = 2, 4
        feed.changed()
        await settled()
        store.revision, store.people = 3, 2
        feed.changed()
        await settled()
        feed.keeper_ready(keeper)
        await settled()
    sent = [each for each in keeper.got if isinstance(each, GalleryRows)]
    assert [(each.base, [row.photo for row in each.rows], each.removed) for each in sent] == [
        (WHOLE_LIST, ["f0", "f1", "f2"], ()),
        (1, ["f3"], ()),
        (2, [], ("f2", "f3")),
        (WHOLE_LIST, ["f0", "f1"], ()),
    ]


async def test_a_row_that_changed_is_sent_again() -> None:
    store, keeper = Store(people=2), Child("gallery")
    async with running(store) as feed:
        feed.keeper_ready(keeper)
        await settled()
        store.template, store.revision = b"of another model", 2
        feed.changed()
        await settled()
    assert [len(each.rows) for each in keeper.got if isinstance(each, GalleryRows)] == [2, 1]


def test_many_removals_are_sent_in_bounded_chunks() -> None:
    many = list(chunks(3, [row(1)], [f"f{number}" for number in range(700)], 2))
    assert [(each.first, each.last, len(each.rows), len(each.removed)) for each in many] == [
        (True, False, 1, 500),
        (False, True, 0, 200),
    ]


async def test_a_store_that_cannot_be_read_now_is_read_again() -> None:
    store, keeper, clock = Store(failures=1), Child("gallery"), ManualClock()
    async with running(store, clock) as feed:
        feed.keeper_ready(keeper)
        await settled()
        assert keeper.got == []
        clock.advance(2)
        await settled()
    assert len(keeper.got) == 1


async def test_a_revision_is_done_when_every_living_child_has_it() -> None:
    first, second = Child("video-1"), Child("video-2")
    async with running(Store()) as feed:
        feed.reader_ready(first)
        feed.reader_ready(second)
        await feed.snapshot(*snapshot(2))
        done = asyncio.create_task(feed.applied(2))
        await feed.note_applied(GalleryApplied(worker="video-1", revision=2), first)
        await settled()
        assert not done.done()
        assert feed.state().waiting == ("video-2",)
        await feed.reader_gone(second)
        assert await done
    assert first.memories == second.memories


async def test_no_child_at_all_is_no_proof_before_the_snapshot_exists() -> None:
    async with running(Store()) as feed:
        assert not await feed.applied(1, within_seconds=0.01)
        await feed.snapshot(*snapshot(1))
        assert await feed.applied(1)


async def test_a_child_that_starts_later_gets_the_newest_and_counts_until_it_answers() -> None:
    late = Child("video-1")
    async with running(Store()) as feed:
        await feed.snapshot(*snapshot(1))
        await feed.snapshot(*snapshot(2))
        feed.reader_ready(late)
        assert [each.revision for each in late.got if isinstance(each, GallerySnapshot)] == [2]
        assert not await feed.applied(2, within_seconds=0.01)
        await feed.note_applied(GalleryApplied(worker="video-1", revision=2), Child("video-1"))
        assert not await feed.applied(2, within_seconds=0.01), "the answer of a replaced child does not count"
        await feed.note_applied(GalleryApplied(worker="video-1", revision=2), late)
        assert await feed.applied(2)


async def test_without_a_gallery_child_the_state_says_what_the_store_has_and_who_waits_for_it() -> None:
    store, keeper, reader = Store(), Child("gallery"), Child("video-1")
    async with running(store) as feed:
        assert feed.state().waiting == ("gallery",), "nothing was built yet"
        feed.keeper_ready(keeper)
        feed.reader_ready(reader)
        await settled()
        await feed.snapshot(*snapshot(1))
        await feed.note_applied(GalleryApplied(worker="video-1", revision=1), reader)
        assert feed.state().waiting == ()
        keeper.ready, store.revision, store.people = False, 2, 0
        feed.changed()
        await settled()
        state = feed.state()
        assert (state.revision, state.wanted, state.waiting) == (1, 2, ("gallery", "video-1"))
        await feed.snapshot(*snapshot(2))
        await feed.note_applied(GalleryApplied(worker="video-1", revision=2), reader)
        assert (feed.state().revision, feed.state().waiting) == (2, ())


async def test_the_end_of_a_child_takes_nothing_from_the_one_that_has_its_name_now() -> None:
    old, new = Child("video-1"), Child("video-1")
    async with running(Store()) as feed:
        feed.reader_ready(old)
        feed.reader_ready(new)
        await feed.reader_gone(old)
        await feed.snapshot(*snapshot(1))
        assert feed.state().waiting == ("video-1",)
        await feed.reader_gone(new)
        assert feed.state().applied == {}
    assert (len(old.got), len(new.got)) == (0, 1)


async def test_old_snapshots_are_let_go() -> None:
    async with running(Store()) as feed:
        message, fds = snapshot(1)
        await feed.snapshot(message, fds)
        await feed.snapshot(*snapshot(2))
        with contextlib.suppress(OSError):
            os.fstat(fds[0])
            raise AssertionError("the descriptor of revision 1 is still open")


async def test_a_fault_of_ours_is_tried_again_and_ends_no_feed(caplog: pytest.LogCaptureFixture) -> None:
    """Its end would be that of the alarm house."""
    clock, keeper = ManualClock(), Child("gallery")
    async with running(Store(failures=1, fault=ValueError("odd row")), clock) as feed:
        feed.keeper_ready(keeper)
        await settled()
        assert not keeper.got
        clock.advance(2)
        await settled()
    assert len(keeper.got) == 1
    assert "ValueError" in caplog.text
