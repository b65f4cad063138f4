"""Routes what the children say: events to the journal, addresses and snapshots to their siblings."""

import logging
import os

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import Cause, Event, GatewayFault, Severity, because, decode, gateway_source, new_id
from gateway.wire import (
    CalibratedThresholds,
    CameraDescribed,
    ClipPiece,
    ContactSaid,
    ContactsHeard,
    EvidencePicture,
    GalleryApplied,
    GallerySnapshot,
    Heartbeat,
    PassageOver,
    PassageStatistics,
    Received,
    Report,
    StreamAddress,
    StreamLost,
)
from gateway.workers.book import CameraBook
from gateway.workers.clips import ClipsUnderWay
from gateway.workers.contact_queue import ContactQueue
from gateway.workers.feed import GalleryFeed
from gateway.workers.fleet import Fleet
from gateway.workers.outdated import OutdatedMatches
from gateway.workers.outfit import DEVICES, GALLERY, VIDEO
from gateway.workers.ports import WorkerPorts
from gateway.workers.relays import RelayBook
from gateway.workers.reports import ReportQueue
from gateway.workers.supervisor import WorkerSupervisor

_LOG = logging.getLogger(__name__)
_LEAST_TO_PART = 2
_FLOOD_SECONDS = 600.0


class Exchange:
    """The owner of all children: gives them their work and takes their findings.

    Args:
        site: for the sources of events.
        book: the cameras.
        feed: the watch-list on its way.
        ports: where findings go.
        clock: the gateway's.
    """

    def __init__(self, site: str, book: CameraBook, feed: GalleryFeed, ports: WorkerPorts, clock: Clock) -> None:
        self._site = site
        self._book = book
        self._feed = feed
        self._ports = ports
        self._clock = clock
        self._in_loop: set[str] = set()
        self._clips = ClipsUnderWay(ports.on_clip)
        self._outdated = OutdatedMatches(feed.is_outdated)
        self.reports = ReportQueue(clock, ports.on_report)
        self.contacts = ContactQueue(clock, self._contacts_flood)
        self._flooded: dict[str, float] = {}
        self.relays = RelayBook()
        self.fleet: Fleet | None = None
        self._thresholds: CalibratedThresholds | None = None

    async def worker_ready(self, worker: WorkerSupervisor) -> None:
        """Give a child that just became ready its cameras and what it needs for them."""
        if self._thresholds is not None and worker.role != DEVICES:
            await worker.send(self._thresholds)
        if worker.role == GALLERY:
            self._feed.keeper_ready(worker)
        elif worker.role == DEVICES:
            for camera in self._book.by_onvif():
                await worker.send(camera)
            for command in self.relays.wanted(self._clock.monotonic()):
                await worker.send(command)
        else:
            await self._equip(worker)

    def apply_thresholds(self, thresholds: CalibratedThresholds) -> None:
        """Let every child that compares faces use these, now or when it is ready."""
        if thresholds == self._thresholds:
            return
        self._thresholds = thresholds
        for worker in self.fleet or ():
            if worker.role != DEVICES:
                worker.offer(thresholds)

    async def _equip(self, worker: WorkerSupervisor) -> None:
        if not self._is_ours(worker):
            return
        self._feed.reader_ready(worker)
        for camera in self._book.of_worker(worker.name):
            if self._book.worker_of(camera.camera) == worker.name:  # it may go while the one before it is sent
                await worker.send(self._book.told(camera.camera, self._clock.monotonic()))
        for address in self._book.addresses_of(worker.name):
            await worker.send(address)

    def _is_ours(self, worker: WorkerSupervisor) -> bool:
        """Whether it is the child of its name: one that was released may say a word yet."""
        return self.fleet is None or self.fleet.named(worker.name) is worker

    async def worker_beat(self, worker: WorkerSupervisor, heartbeat: Heartbeat) -> None:
        """Note how its cameras are."""
        if not worker.looping:
            self._in_loop.discard(worker.name)
        for status in heartbeat.cameras:
            if self._book.worker_of(status.camera) != worker.name:
                continue
            restored = self._book.note_status(status, self._clock.now())
            if restored is not None:
                self._report(restored)

    async def worker_gone(self, worker: WorkerSupervisor, *, looping: bool) -> None:
        """Its cameras are away; in a crash loop that is reported, once."""
        self._book.worker_gone(worker.name)
        self._clips.worker_gone(worker.name)
        await self._feed.reader_gone(worker)
        if not looping:  # a name goes to another child when its cameras are gone
            self._in_loop.discard(worker.name)
        elif worker.name not in self._in_loop:
            self._in_loop.add(worker.name)
            self._report(self._crash_loop(worker))
        if looping and not self._part(worker):
            for lost in self._book.lost_with(worker.name, self._clock.now()):
                self._report(lost)

    async def worker_over(self, worker: WorkerSupervisor) -> None:
        """It was released: clips that it had begun and did not end, end with what came."""
        self._clips.worker_gone(worker.name)
        await self._feed.reader_gone(worker)

    def _part(self, worker: WorkerSupervisor) -> bool:
        """Move half of the cameras of a child in a crash loop: the one that ends it is alone after a few halvings.

        Returns:
            False if there was only one.
        """
        cameras = self._book.of_worker(worker.name)
        if self.fleet is None or len(cameras) < _LEAST_TO_PART:
            return False
        other = self.fleet.open_video()
        for assigned in cameras[len(cameras) // 2 :]:
            self._book.move(assigned.camera, other.name)
            _LOG.warning("camera %s moves from %s to %s", assigned.camera, worker.name, other.name)
        return True

    def _crash_loop(self, worker: WorkerSupervisor) -> GatewayFault:
        state = worker.state()
        what = f"{worker.name} keeps ending: {state.reason}"
        if not state.remedy:
            return self._fault(worker.name, because("worker_crash_loop", what, worker=worker.name))
        what, why = f"{what}. {state.remedy}", f"{state.reason}. {state.remedy}"
        cause = because("worker_crash_loop", what, reason="worker_fails", worker=worker.name, why=why)
        return self._fault(worker.name, cause)

    def _fault(self, subject: str, cause: Cause) -> GatewayFault:
        return GatewayFault(
            id=new_id(),
            source=gateway_source(self._site),
            subject=subject,
            time=self._clock.now(),
            severity=Severity.HIGH,
            **cause.data,
        )

    def _contacts_flood(self, camera: str) -> None:
        """Its contacts change faster than they can be stored: told, at most once in ten minutes."""
        now = self._clock.monotonic()
        if now - self._flooded.get(camera, float("-inf")) < _FLOOD_SECONDS:
            return
        self._flooded[camera] = now
        what = f"the contacts of {camera} change too fast to be stored one by one"
        _LOG.error("%s", what)
        self._report(self._fault(camera, because("contacts_flood", what, camera=camera)))

    async def worker_said(self, worker: WorkerSupervisor, received: Received) -> None:
        """Route one message; one that its role must not send ends the child.

        Raises:
            PermanentError: the message is not one for us, or the event in it is none.
        """
        message = received.message
        if isinstance(message, GallerySnapshot) and worker.role == GALLERY:
            await self._feed.snapshot(message, received.fds)
            return
        for descriptor in received.fds:
            os.close(descriptor)
        if worker.role == VIDEO and isinstance(message, GalleryApplied):
            await self._feed.note_applied(message, worker)
        elif worker.role == VIDEO and isinstance(message, StreamLost):
            await self._send_to(DEVICES, message)
        elif worker.role == VIDEO and isinstance(message, ClipPiece):
            if message.event not in self._outdated:
                self._clips.take(message, worker.name)
        elif worker.role == DEVICES and isinstance(message, StreamAddress):
            await self._pass_address(message)
        else:
            self._take_finding(worker, message)

    def _take_finding(self, worker: WorkerSupervisor, message: object) -> None:
        ports = self._ports
        if isinstance(message, Report):
            self._take_event(self._book.explained(decode(message.event)))
        elif isinstance(message, ContactSaid):
            self.contacts.put(
                message.camera, f"contact {message.input} of {message.camera}", lambda: ports.on_contact(message)
            )
        elif isinstance(message, ContactsHeard):
            self._book.note_heard(message)
            self.contacts.put(message.camera, f"sign of life of {message.camera}", lambda: ports.on_heard(message))
        elif isinstance(message, EvidencePicture) and message.event in self._outdated:
            pass
        elif isinstance(message, EvidencePicture):
            self.reports.put(f"evidence {message.evidence}", lambda: ports.on_evidence(message))
        elif isinstance(message, PassageOver):
            said = self._clock.now()
            self.reports.put(f"the end of a passage at {message.camera}", lambda: ports.on_passage(message, said))
        elif isinstance(message, PassageStatistics):
            self.reports.put(f"statistics of {message.camera}", lambda: ports.on_statistics(message))
        elif isinstance(message, CameraDescribed):
            self._book.note_described(message)
            self.reports.put(f"description of {message.camera}", lambda: ports.on_described(message))
        else:
            raise PermanentError(f"{type(message).__name__} is not for a {worker.role} child to send")

    def _take_event(self, event: Event) -> None:
        if self._outdated.note(event):
            return
        self._book.note_warning(event, self._clock.monotonic())
        if self._book.is_news(event):
            self._report(event)

    def _report(self, event: Event) -> None:
        self.reports.put_event(event)

    async def _pass_address(self, address: StreamAddress) -> None:
        self._book.note_address(address)
        name = self._book.worker_of(address.camera)
        if name is not None:
            await self._send_to(name, address)

    async def _send_to(self, name: str, message: StreamAddress | StreamLost) -> None:
        worker = self.fleet.named(name) if self.fleet is not None else None
        if worker is not None:
            worker.offer(message)
