"""The vision house as the alarm house sees it: assign cameras, ask for templates and pictures, know how it is."""

import asyncio
import contextlib
from dataclasses import replace

from gateway.clock import Clock, SystemClock
from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.wire import (
    CalibratedThresholds,
    CalibrationReply,
    CalibrationRequest,
    CameraWithdrawn,
    ClipRequest,
    DiscoveredCamera,
    DiscoverReply,
    DiscoverRequest,
    EmbedReply,
    EmbedRequest,
    FetchRecording,
    IdentifyReply,
    IdentifyRequest,
    LookAt,
    PhotoReply,
    PhotoRequest,
    RecordingReply,
    RecordingRequest,
    SwitchRelay,
)
from gateway.workers.assignment import assignment, password_of
from gateway.workers.births import Births
from gateway.workers.book import BY_ONVIF, CameraBook
from gateway.workers.exchange import Exchange
from gateway.workers.feed import GalleryFeed
from gateway.workers.fleet import Fleet
from gateway.workers.life import LifeRules
from gateway.workers.outfit import DEVICES, GALLERY, VIDEO, Outfit, Upkeep
from gateway.workers.passwords import PasswordFiles
from gateway.workers.pictures import Pictures
from gateway.workers.ports import RowSource, WorkerPorts
from gateway.workers.replies import WorkerAwayError
from gateway.workers.states import CameraState, GalleryState, WorkerState
from gateway.workers.supervisor import WorkerSupervisor

_PHOTO_SECONDS = 20.0
_CALIBRATION_SECONDS = 20.0
_ASKING_SECONDS = 60.0
_RECORDING_SECONDS = 90.0
_READY_LOOKS, _READY_SECONDS = 50, 0.2
_LARGEST_PHOTO_BYTES = 12 * 1024 * 1024
_DRAIN_SECONDS = 2.0


class Workers:
    """All children and what can be asked of them.

    Args:
        outfit: what the children work with.
        rows: the watch-list's store.
        ports: where findings go.
        clock: the gateway's.
        upkeep: how the children are kept.

    Methods may be called before `run`; the children start with it.
    """

    def __init__(
        self,
        outfit: Outfit,
        rows: RowSource,
        ports: WorkerPorts,
        *,
        clock: Clock | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self._outfit = outfit
        self._clock = clock or SystemClock()
        self._upkeep = upkeep or Upkeep()
        self._rules = self._upkeep.rules or LifeRules(silence_seconds=outfit.vision.heartbeat_timeout_seconds)
        self._book = CameraBook(outfit.site, outfit.matching.cooldown_seconds)
        self._feed = GalleryFeed(rows, self._clock)
        self._exchange = Exchange(outfit.site, self._book, self._feed, ports, self._clock)
        self._fleet = self._exchange.fleet = Fleet(
            self._make, self._book, outfit.vision.cameras_per_worker, self._upkeep.cores
        )
        self._passwords = PasswordFiles(self._give, self._book.needs_password, self._clock)
        self._births = Births(self._upkeep.cores)
        self._pictures = Pictures()
        self._stopping = asyncio.Event()

    def _make(self, role: str, name: str) -> WorkerSupervisor:
        upkeep = self._upkeep
        hello, births = self._outfit.hello(role, name), self._births if role == VIDEO else None
        return WorkerSupervisor(hello, self._exchange, self._rules, self._clock, upkeep.budget(), upkeep.start, births)

    async def run(self) -> None:
        """Run the children until `stop`; returns when all have ended and their findings are stored."""
        try:
            async with asyncio.TaskGroup() as helpers:
                tasks = [
                    helpers.create_task(self._feed.run(), name="gallery feed"),
                    helpers.create_task(self._exchange.contacts.run(), name="contacts of cameras"),
                    helpers.create_task(self._exchange.reports.run(), name="reports of children"),
                    helpers.create_task(self._passwords.run(), name="password files of cameras"),
                ]
                async with asyncio.TaskGroup() as children:
                    self._fleet.start(children)
                    await self._stopping.wait()
                    self._fleet.stop()
                for task in tasks:
                    task.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exchange.contacts.drain(), _DRAIN_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exchange.reports.drain(), _DRAIN_SECONDS)
        finally:
            await self._pictures.close()
            self._feed.close()

    def stop(self) -> None:
        """Ask every child to end; who does not within its time is killed. `run` returns when all are gone."""
        self._stopping.set()

    async def assign(self, camera: CameraSettings) -> None:
        """Give a camera to a video child, and to the devices child if it speaks ONVIF; again replaces its entry.

        A password file is read again while its camera lets nobody in; so is one that could not be read, if the camera
        is of the configuration file: another one is not there.

        Raises:
            PermanentError: its password file cannot be read.
        """
        try:
            password = await password_of(camera)
        except PermanentError:
            if self._outfit.is_trusted(camera.id):
                self._passwords.note(camera, None)
            raise
        self._passwords.note(camera, password)
        await self._give(camera, password)

    async def _give(self, camera: CameraSettings, password: str) -> None:
        assigned = assignment(camera, password, self._outfit.networks_of(camera.id))
        name = self._book.worker_of(camera.id)
        worker = self._fleet.ensure(VIDEO, name) if name is not None else self._fleet.place()
        self._book.assign(assigned, worker.name)
        await worker.send(self._book.told(camera.id, self._clock.monotonic()))
        devices = self._fleet.named(DEVICES)
        if camera.url.startswith(BY_ONVIF):
            await self._fleet.ensure(DEVICES, DEVICES).send(assigned)
        elif devices is not None:
            await devices.send(CameraWithdrawn(camera=camera.id))

    async def withdraw(self, camera: str) -> None:
        """Take a camera from its children; one that nobody has is no error."""
        self._passwords.forget(camera)
        name = self._book.withdraw(camera)
        if name is None:
            return
        watcher = self._fleet.named(name)
        for worker in (watcher, self._fleet.named(DEVICES)):
            if worker is not None:
                await worker.send(CameraWithdrawn(camera=camera))
        if watcher is not None and self._fleet.release(watcher):
            await self._feed.reader_gone(watcher)

    def watch_list_changed(self) -> None:
        """The store has a new revision: bring it to the cameras."""
        self._feed.changed()

    async def applied(self, revision: int, within_seconds: float | None = None) -> bool:
        """Wait until every living video child compares with `revision` or a newer one; False if time ran out."""
        return await self._feed.applied(revision, within_seconds)

    async def embed(self, *, person: str, photo: str, wrapped_key: bytes, image: bytes) -> EmbedReply:
        """Make a sealed template and a sealed photo of an image file; the reply says why it is refused.

        Args:
            person: its id; the seals are bound to it.
            photo: its id; the seals are bound to it, too.
            wrapped_key: the person's; empty for a new person, then the reply brings one.
            image: the file as it was uploaded.

        Raises:
            WorkerAwayError: the gallery child is away.
        """
        if len(image) > _LARGEST_PHOTO_BYTES:
            return EmbedReply(request=0, refusal="not_an_image", detail=_too_large(image))
        return await self._gallery().ask(
            lambda number: EmbedRequest(
                request=number, person=person, photo=photo, wrapped_key=wrapped_key, image=image
            ),
            EmbedReply,
            _PHOTO_SECONDS,
        )

    async def identify(self, image: bytes, limit: int = 10) -> IdentifyReply:
        """Who on the list is near the one face of an image file; nothing is kept.

        Raises:
            WorkerAwayError: the gallery child is away.
        """
        if len(image) > _LARGEST_PHOTO_BYTES:
            return IdentifyReply(request=0, refusal="not_an_image", detail=_too_large(image))
        return await self._gallery().ask(
            lambda number: IdentifyRequest(request=number, image=image, limit=limit), IdentifyReply, _PHOTO_SECONDS
        )

    async def calibrate(self, request: CalibrationRequest) -> CalibrationReply:
        """What thresholds mean for this site; the request's number is given here.

        Raises:
            WorkerAwayError: the gallery child is away.
            PermanentError: nothing can be told from these counts.
        """
        reply = await self._gallery().ask(
            lambda number: replace(request, request=number), CalibrationReply, _CALIBRATION_SECONDS
        )
        if reply.refusal:
            raise PermanentError(reply.refusal, where="calibration")
        return reply

    def apply_thresholds(self, thresholds: CalibratedThresholds) -> None:
        """Let every child that compares faces use these from now on, also those that start later."""
        self._exchange.apply_thresholds(thresholds)

    async def open_photo(self, *, person: str, photo: str, wrapped_key: bytes, sealed_photo: bytes) -> bytes:
        """An enrolment photo as JPEG.

        Raises:
            WorkerAwayError: the gallery child is away.
            PermanentError: the photo cannot be opened with this key.
        """
        reply = await self._gallery().ask(
            lambda number: PhotoRequest(
                request=number, person=person, photo=photo, wrapped_key=wrapped_key, sealed_photo=sealed_photo
            ),
            PhotoReply,
            _PHOTO_SECONDS,
        )
        if reply.refusal:
            raise PermanentError(reply.refusal, where=f"photo {photo}")
        return reply.jpeg

    async def picture(self, camera: str, width: int = 1280) -> bytes:
        """The camera's newest picture as JPEG, at most `width` px wide.

        Raises:
            PermanentError: there is no such camera.
            NoPictureError: nobody has a picture of it now.
        """
        name = self._book.worker_of(camera)
        if name is None:
            raise PermanentError("there is no such camera", where=f"camera {camera}", code="no_such_camera")
        workers = [self._fleet.named(each) for each in (name, DEVICES)]
        return await self._pictures.get(camera, width, [each for each in workers if each is not None])

    def switch(self, command: SwitchRelay) -> bool:
        """Switch a camera's relay; never waits. Returns whether a child was told now; the next child is told, too."""
        self._exchange.relays.note(command, self._clock.monotonic())
        devices = self._fleet.named(DEVICES)
        return devices is not None and devices.offer(command)

    def look_at(self, command: LookAt) -> bool:
        """Have a camera look somewhere; as `switch`."""
        devices = self._fleet.named(DEVICES)
        return devices is not None and devices.offer(command)

    async def discover(self, seconds: float = 4.0) -> tuple[DiscoveredCamera, ...]:
        """Look for cameras in the site's networks; each is asked how it is.

        Raises:
            WorkerAwayError: the devices child is away.
        """
        devices = self._fleet.ensure(DEVICES, DEVICES)
        for _ in range(_READY_LOOKS):  # it is started by this, if there was no camera yet
            if devices.ready:
                break
            await self._clock.sleep(_READY_SECONDS)
        reply = await devices.ask(
            lambda number: DiscoverRequest(request=number, seconds=seconds), DiscoverReply, seconds + _ASKING_SECONDS
        )
        return reply.cameras

    def record_clip(self, request: ClipRequest) -> bool:
        """Ask the camera's child for a clip; never waits.

        Returns:
            whether there is a child that has the camera now.
        """
        name = self._book.worker_of(request.camera)
        worker = self._fleet.named(name) if name is not None and self._book.is_watched(request.camera) else None
        return worker is not None and worker.offer(request)

    def is_by_onvif(self, camera: str) -> bool:
        """Whether a camera is asked over ONVIF, and so may have a recording of its own."""
        return any(each.camera == camera for each in self._book.by_onvif())

    async def own_recording(self, camera: str) -> RecordingReply:
        """Where a camera plays its own recording, or why that is not known.

        Raises:
            WorkerAwayError: the devices child is away.
        """
        devices = self._fleet.named(DEVICES)
        if devices is None:
            raise WorkerAwayError("the devices child is not started", remedy="Try again in a moment.")
        return await devices.ask(
            lambda number: RecordingRequest(request=number, camera=camera), RecordingReply, _RECORDING_SECONDS
        )

    def fetch_recording(self, order: FetchRecording) -> bool:
        """Have a camera's child bring a part of its own recording; never waits.

        Returns:
            whether there is a child that has the camera now.
        """
        name = self._book.worker_of(order.camera)
        worker = self._fleet.named(name) if name is not None else None
        return worker is not None and worker.offer(order)

    def cameras(self) -> tuple[CameraState, ...]:
        """All cameras as they are now."""
        return self._book.states()

    def workers(self) -> tuple[WorkerState, ...]:
        """All children as they are now."""
        return self._fleet.states()

    def gallery(self) -> GalleryState:
        """How far the watch-list has got."""
        return self._feed.state()

    def _gallery(self) -> WorkerSupervisor:
        worker = self._fleet.named(GALLERY)
        if worker is None:
            raise WorkerAwayError("the children are not started yet", remedy="Try again in a moment.")
        return worker


def _too_large(image: bytes) -> str:
    return f"the file has {len(image) / 2**20:.1f} MB; at most {_LARGEST_PHOTO_BYTES // 2**20} MB are taken"
