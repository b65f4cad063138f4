"""Who was removed is not warned of, also while no gallery child is there to tell the cameras."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.clock import ManualClock
from gateway.events import Event, FaceMatched, encode
from gateway.wire import ClipPiece, EvidencePicture, Message, Received, Report, SealedRow
from gateway.workers import GalleryFeed, WorkerPorts
from gateway.workers.book import CameraBook
from gateway.workers.exchange import Exchange

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


class Video:
    role, name, ready = "video", "video-1", True


class Site:
    """The exchange with a store's list, no gallery child at all, and what reaches the stores."""

    def __init__(self, *listed: str) -> None:
        self.revision, self.listed = 1, listed
        self.events: list[str] = []
        self.crops: list[str] = []
        self.clips: list[str] = []
        self.feed = GalleryFeed(self._rows, ManualClock())
        self.exchange = Exchange("east", CameraBook("east"), self.feed, self._ports(), ManualClock())

    async def _rows(self) -> tuple[int, list[SealedRow]]:
        about: Any = {"category": "", "wrapped_key": b"k", "template": b"t", "fingerprint": "m"}
        return self.revision, [SealedRow(person=each, photo=f"{each}-1", **about) for each in self.listed]

    def _ports(self) -> WorkerPorts:
        async def report(events: Sequence[Event]) -> None:
            self.events += [event.id for event in events]

        async def keep(crop: EvidencePicture) -> None:
            self.crops.append(crop.event)

        async def nothing(*_: object) -> None:
            pass

        return WorkerPorts(
            on_report=report, on_evidence=keep, on_clip=lambda piece: self.clips.append(piece.event),
            on_passage=nothing, on_statistics=nothing, on_described=nothing, on_contact=nothing, on_heard=nothing,
        )  # fmt: skip

    async def read(self, *listed: str, revision: int) -> None:
        self.revision, self.listed = revision, listed
        assert await self.feed._feed()

    async def matched(self, identity: str, person: str, revision: int) -> None:
        """A child matched somebody by its list of a revision, with a crop and a clip."""
        match = FaceMatched(
            id=identity, source="/c", subject="cam-01", time=NOW, camera="cam-01", person=person, distance=0.3,
            threshold=0.46, looks=3, face_height=60, quality=0.5, model="net", detector="d", passage=identity,
            list_revision=revision,
        )  # fmt: skip
        about: Any = {"event": identity, "camera": "cam-01", "person": person}
        await self._said(Report(event=encode(match)))
        await self._said(EvidencePicture(evidence=f"{identity}-crop", kind="crop", jpeg=b"", **about))
        await self._said(ClipPiece(evidence=f"{identity}-clip", number=0, data=b"moof", seconds=1.0, **about))
        await self.exchange.reports.drain()

    async def _said(self, message: Message) -> None:
        worker: Any = Video()
        await self.exchange.worker_said(worker, Received(message, ()))

    @property
    def kept(self) -> list[list[str]]:
        return [self.events, self.crops, self.clips]


async def test_a_match_of_somebody_who_was_removed_is_dropped_with_crop_and_clip() -> None:
    site = Site()
    await site.read("p-1", "p-2", revision=1)
    await site.matched("m-1", "p-1", 1)
    await site.read("p-2", revision=2)
    await site.matched("m-2", "p-1", 1)
    await site.matched("m-3", "p-2", 1)
    assert site.kept == [["m-1", "m-3"]] * 3


async def test_a_match_by_a_list_that_is_not_older_than_ours_counts() -> None:
    """The store was read before somebody was put on it; the child cannot know more than was read, but must not lose."""
    site = Site()
    await site.read(revision=1)
    await site.matched("m-1", "p-1", 1)
    assert site.kept == [["m-1"]] * 3


async def test_before_the_list_was_read_everything_counts() -> None:
    site = Site()
    await site.matched("m-1", "p-1", 0)
    assert site.kept == [["m-1"]] * 3
