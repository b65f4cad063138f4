"""The vision house's part of the composition: what its children report, and what they are fed."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.api import counted_rows, sealed_rows
from gateway.clock import Clock
from gateway.settings import Settings
from gateway.storage import ClipPart, ClipState, Evidence, Stores
from gateway.wire import CameraDescribed, ClipPiece, EvidencePicture, PassageOver, PassageStatistics, SealedRow
from gateway.workers import Outfit, WorkerPorts, Workers

CLIP = "clip"
_LONGEST_PASSAGE_SECONDS = 86400.0
_log = logging.getLogger(__name__)


class VisionLine:
    """Binds the workers to the stores."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock) -> None:
        self._settings = settings
        self._stores = stores
        self._clock = clock
        outfit = Outfit(
            site=settings.gateway.site,
            vision=settings.vision,
            matching=settings.matching,
            evidence=settings.evidence,
            models_directory=settings.storage.models_directory,
            people_key=stores.vault.take_people_key(),
        )
        ports = WorkerPorts(
            on_report=stores.journal.append,
            on_evidence=self._keep,
            on_clip=self._clip,
            on_passage=self._note_passage,
            on_statistics=self._count,
            on_described=self._described,
        )
        self.workers = Workers(outfit, self._rows, ports, clock=clock)

    async def _rows(self) -> tuple[int, Sequence[SealedRow]]:
        revision, rows = await self._stores.watchlist.rows(self._clock.now())
        return revision, await asyncio.to_thread(sealed_rows, rows)

    async def _keep(self, picture: EvidencePicture) -> None:
        await self._stores.evidence.keep(self._evidence(picture, picture.kind), picture.jpeg)

    def _evidence(self, found: EvidencePicture | ClipPiece, kind: str) -> Evidence:
        now = self._clock.now()
        return Evidence(
            id=found.evidence,
            event=found.event,
            camera=found.camera,
            person=found.person,
            kind=kind,
            created=now,
            purge_after=now + timedelta(days=self._settings.evidence.unconfirmed_days),
            clip=ClipState() if kind == CLIP else None,
        )

    def _clip(self, piece: ClipPiece) -> None:
        self._stores.clips.put(
            ClipPart(
                evidence=self._evidence(piece, CLIP),
                number=piece.number,
                data=piece.data,
                whole=piece.whole,
                seconds=piece.seconds,
                last=piece.last,
                cut_short=piece.cut_short,
                late_seconds=piece.late_seconds,
                lost_seconds=piece.lost_seconds,
                others=piece.others,
                trouble=piece.trouble,
            )
        )

    async def _note_passage(self, passage: PassageOver, said: datetime) -> None:
        first, last = (
            said - timedelta(seconds=min(max(0.0, ago), _LONGEST_PASSAGE_SECONDS))
            for ago in (passage.first_ago_seconds, passage.last_ago_seconds)
        )
        await self._stores.evidence.note_passage(passage.events, first, last)

    async def _count(self, statistics: PassageStatistics) -> None:
        await self._stores.histograms.add(
            self._clock.now().date(), statistics.model, statistics.seconds, statistics.camera, counted_rows(statistics)
        )

    async def _described(self, described: CameraDescribed) -> None:
        _log.info("camera %s: %s", described.camera, described.state)
