"""The vision house's part of the composition: what its children report, and what they are fed."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from gateway.api import counted_rows, sealed_rows
from gateway.clock import Clock
from gateway.daemon.clip_parts import part_of
from gateway.daemon.own_recordings import OwnRecordings
from gateway.events import CameraInputTriggered, Event
from gateway.settings import OutputSettings, Settings
from gateway.storage import ClipState, Evidence, Stores
from gateway.wire import (
    CameraDescribed,
    ClipPiece,
    ClipRequest,
    ContactSaid,
    ContactsHeard,
    EvidencePicture,
    PassageOver,
    PassageStatistics,
    SealedRow,
    SwitchRelay,
)
from gateway.workers import Outfit, WorkerPorts, Workers

CLIP = "clip"
_LONGEST_PASSAGE_SECONDS = 86400.0
_log = logging.getLogger(__name__)


class ContactTaker(Protocol):
    """Who takes the dry contacts of cameras."""

    async def take_contact(self, said: ContactSaid) -> None:
        """How a contact is; raises GatewayError if that could not be stored."""
        ...

    async def note_heard(self, said: ContactsHeard) -> None:
        """Whether a camera's contacts are heard."""
        ...

    def is_quiet_contact(self, camera: str, contact: str) -> bool:
        """Whether nothing but silent alarm buttons is wired to a camera's contact."""
        ...


class VisionLine:
    """Binds the workers to the stores, and the contacts of cameras to the alarm path."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, alarms: ContactTaker) -> None:
        self._settings = settings
        self._stores = stores
        self._clock = clock
        self._alarms = alarms
        outfit = Outfit(
            site=settings.gateway.site,
            vision=settings.vision,
            matching=settings.matching,
            evidence=settings.evidence,
            models_directory=settings.storage.models_directory,
            people_key=stores.vault.take_people_key(),
            trusted_cameras=frozenset(camera.id for camera in settings.cameras),
        )
        ports = WorkerPorts(
            on_report=self._report,
            on_evidence=self._keep,
            on_clip=self._clip,
            on_passage=self._note_passage,
            on_statistics=self._count,
            on_described=self._described,
            on_contact=alarms.take_contact,
            on_heard=alarms.note_heard,
        )
        self.workers = Workers(outfit, self._rows, ports, clock=clock)
        self.recordings = OwnRecordings(stores, settings.evidence, self.workers, clock)

    def switch(self, output: OutputSettings, on: bool) -> None:  # the outputs' port
        """Switch a camera's relay; while it is wanted the caller tells it again."""
        if output.camera is not None:
            relay = SwitchRelay(camera=output.camera, relay=output.relay, on=on, seconds=output.seconds)
            self.workers.switch(relay)

    async def _rows(self) -> tuple[int, Sequence[SealedRow]]:
        revision, rows = await self._stores.watchlist.rows(self._clock.now())
        return revision, await asyncio.to_thread(sealed_rows, rows)

    async def _report(self, events: Sequence[Event]) -> None:
        """A child's events into the journal; which contacts are silent buttons no child knows."""
        await self._stores.journal.append_all([self._with_discretion(event) for event in events])

    def _with_discretion(self, event: Event) -> Event:
        if not isinstance(event, CameraInputTriggered):
            return event
        return replace(event, discreet=self._alarms.is_quiet_contact(event.camera, event.input))

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
            clip=ClipState() if isinstance(found, ClipPiece) else None,
        )

    def _clip(self, piece: ClipPiece) -> None:
        """Keep a piece; where a clip has a gap, the camera's own recording is wished for."""
        if piece.from_camera:
            self.recordings.take(piece)
            return
        self._stores.clips.put(part_of(self._evidence(piece, CLIP), piece))
        self.recordings.note(piece)

    def give_up(self, wish: ClipRequest) -> None:  # of the clips of presses
        """Tell that a clip was wanted and no child had the camera while it could be recorded."""
        self._clip(wish.refused("its camera's child is away"))

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
