"""The video role: one pipeline per camera, one watch-list for all."""

import asyncio
import logging
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import cv2

from gateway.clock import SystemClock
from gateway.errors import GatewayError, TransientError
from gateway.vision.child import Outlet, UnexpectedMessageError
from gateway.vision.child.hardening import resident_megabytes
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.announcer import Announcer
from gateway.vision.video.list_holder import ListHolder
from gateway.vision.video.pipeline import CameraPipeline, PipelineKit
from gateway.wire import (
    CREDENTIALS_WRONG,
    NO_STREAM_ADDRESS,
    WORKER_AWAY,
    CalibratedThresholds,
    CameraAssigned,
    CameraStatus,
    CameraWithdrawn,
    ClipPiece,
    ClipRequest,
    FetchRecording,
    GalleryApplied,
    GallerySnapshot,
    Heartbeat,
    Hello,
    PictureReply,
    PictureRequest,
    Ready,
    Received,
    StreamAddress,
)

_LOG = logging.getLogger(__name__)
_STATISTICS_SECONDS = 3600.0
# dlib's HOG finds faces from 80 px of the searched picture, doubled once from 40 px: people at a gate are no larger.
_HOG_UPSAMPLE = 1
_ADDRESS_SECONDS = 30.0
_NO_ADDRESS_REMEDY = (
    "The camera has not told yet where its stream is: check its power, its address and its password; "
    "campus-gateway cameras list says how it answers"
)


class ReaderHangsError(TransientError):
    """A reader hangs in the library: this child must be replaced."""


@dataclass(slots=True)
class _Watched:
    """A camera that the parent assigned, with its pipeline once its address is known."""

    assigned: CameraAssigned
    announcer: Announcer
    refused_passwords: int = 0
    pipeline: CameraPipeline | None = None
    overdue: asyncio.TimerHandle | None = None
    fetch: asyncio.Task[None] | None = None


class VideoRole:
    """Watches the streams of the cameras that the parent assigns.

    Args:
        hello: the parent's first message.
        outlet: the way to the parent.
    """

    def __init__(self, hello: Hello, outlet: Outlet) -> None:
        self._hello = hello
        self._outlet = outlet
        self._clock = SystemClock()
        self._cameras: dict[str, _Watched] = {}
        self._kit: PipelineKit | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: list[CameraPipeline] = []

    async def open(self) -> Ready:
        """Load detector, aligner and embedder, for all cameras together."""
        tools = await asyncio.to_thread(self._load)
        self._kit = PipelineKit(
            tools=tools,
            lists=ListHolder(tools.embedder),
            thresholds=ThresholdBook(self._hello.matching),
            vision=self._hello.vision,
            matching=self._hello.matching,
            evidence=self._hello.evidence,
            outlet=self._outlet,
            clock=self._clock,
        )
        self._keep(self._send_statistics())
        detector, model = tools.detector.name, tools.embedder.fingerprint
        return Ready(worker=self._hello.worker, detail=tools.told, detector=detector, model=model)

    def _load(self) -> FaceTools:
        cv2.setNumThreads(1)
        tools = open_tools(
            self._hello.matching,
            Path(self._hello.models_directory),
            longest_side=self._hello.vision.detector_width,
            hog_upsample=_HOG_UPSAMPLE,
        )
        if tools.notice:
            _LOG.warning("%s", tools.notice)
        return tools

    async def handle(self, received: Received) -> None:
        """Take or drop a camera, learn its address, or take a new watch-list."""
        match received.message:
            case CameraAssigned() as assigned:
                await self._take(assigned)
            case CameraWithdrawn(camera=camera):
                await self._drop(camera)
            case StreamAddress() as address:
                await self._address(address)
            case ClipRequest() as request:
                await self._record(request)
            case FetchRecording() as order:
                await self._fetch(order)
            case GallerySnapshot() as snapshot:
                await self._apply(snapshot, received.fds[0])
            case CalibratedThresholds() as told if self._kit is not None:
                self._kit.thresholds.apply(told)
            case other:
                raise UnexpectedMessageError(f"a video child does not take {type(other).__name__}")

    async def _take(self, assigned: CameraAssigned) -> None:
        former = self._cameras.get(assigned.camera)
        await self._drop(assigned.camera)
        cooldown = self._hello.matching.cooldown_seconds
        watched = _Watched(assigned, Announcer(assigned, self._hello.site, self._clock, cooldown))
        if former is not None and _user_of(former.assigned) == _user_of(assigned):
            watched.refused_passwords = former.refused_passwords
        self._cameras[assigned.camera] = watched
        if assigned.url.startswith(("onvif:", "onvifs:")):
            loop = asyncio.get_running_loop()
            watched.overdue = loop.call_later(_ADDRESS_SECONDS, lambda: self._keep(self._miss_address(watched)))
        else:
            await self._begin(watched, assigned.url, assigned.sub_url)

    async def _miss_address(self, watched: _Watched) -> None:
        for message in watched.announcer.lost(NO_STREAM_ADDRESS):
            await self._outlet.send(message)

    async def _begin(self, watched: _Watched, url: str, sub_url: str) -> None:
        if self._kit is None:
            raise UnexpectedMessageError("a camera came before the video child was ready")
        try:
            watched.pipeline = CameraPipeline(
                watched.assigned, url, sub_url, watched.announcer, self._kit, watched.refused_passwords
            )
        except GatewayError as error:
            _LOG.error("camera %s cannot be opened: %s", watched.assigned.camera, error)
            await self._miss_address(watched)
            return
        watched.pipeline.start()

    async def _address(self, address: StreamAddress) -> None:
        """Begin at the addresses, or begin anew at others; the same ones are being tried already."""
        watched = self._cameras.get(address.camera)
        wanted = (address.url, address.sub_url)
        if watched is None or (watched.pipeline is not None and watched.pipeline.addresses == wanted):
            return
        await self._end(watched)
        await self._begin(watched, *wanted)

    async def _drop(self, camera: str) -> None:
        watched = self._cameras.pop(camera, None)
        if watched is not None:
            if watched.fetch is not None:
                watched.fetch.cancel()
            await self._end(watched)

    async def _end(self, watched: _Watched) -> None:
        if watched.overdue is not None:
            watched.overdue.cancel()
        pipeline, watched.pipeline = watched.pipeline, None
        if pipeline is not None:
            watched.refused_passwords = pipeline.refused_passwords
            self._ending.append(pipeline)
            await asyncio.to_thread(pipeline.stop)

    async def _apply(self, snapshot: GallerySnapshot, descriptor: int) -> None:
        """Compare with a new list from the next frame on; answers once no look at the old one is under way."""
        if self._kit is None:
            os.close(descriptor)
            raise UnexpectedMessageError("a watch-list came before the video child was ready")
        await self._tell_statistics()  # of the old list: counts are of one size of it
        self._kit.lists.apply(snapshot, descriptor)
        for pipeline in self._pipelines():
            await asyncio.to_thread(pipeline.settle)
        await self._outlet.send(GalleryApplied(worker=self._hello.worker, revision=snapshot.revision))

    async def _record(self, request: ClipRequest) -> None:
        watched = self._cameras.get(request.camera)
        if watched is None or watched.pipeline is None:
            await self._outlet.send(request.refused("nothing is known of its stream yet"))
            return
        for refused in watched.pipeline.clips.record(request):
            await self._outlet.send(refused)

    async def _fetch(self, order: FetchRecording) -> None:
        """Bring a part of the camera's own recording; not with a password that its stream refuses."""
        watched = self._cameras.get(order.camera)
        if watched is None or (watched.fetch is not None and not watched.fetch.done()):
            await self._outlet.send(_unfetched(order, WORKER_AWAY))
        elif watched.pipeline is not None and watched.pipeline.refused_passwords:
            await self._outlet.send(_unfetched(order, CREDENTIALS_WRONG))
        else:
            watched.fetch = self._keep(self._fetched(order, watched.assigned))

    async def _fetched(self, order: FetchRecording, assigned: CameraAssigned) -> None:
        """What talks to cameras is loaded with the first recording that is wanted: most children never need it."""
        module = await asyncio.to_thread(import_module, "gateway.vision.video.own_recording")
        await module.RecordingFetch(order, assigned, self._outlet).run()

    def _pipelines(self) -> tuple[CameraPipeline, ...]:
        return tuple(each.pipeline for each in self._cameras.values() if each.pipeline is not None)

    async def picture(self, request: PictureRequest) -> PictureReply:
        """The newest frame, made smaller in a thread."""
        watched = self._cameras.get(request.camera)
        pipeline = watched.pipeline if watched is not None else None
        try:
            jpeg = await asyncio.to_thread(pipeline.picture, request.width) if pipeline is not None else None
            refusal = "" if jpeg else "there is no fresh picture"
        except Exception as error:  # one camera's picture must not end the child of its siblings
            _LOG.exception("camera %s: its picture", request.camera)
            jpeg, refusal = None, type(error).__name__
        return PictureReply(request=request.request, camera=request.camera, jpeg=jpeg or b"", refusal=refusal)

    def heartbeat(self) -> Heartbeat:
        """How each camera is.

        Raises:
            ReaderHangsError: a camera's reader, or that of one that was dropped, hangs and cannot be ended.
        """
        self._watch_readers()
        return Heartbeat(
            worker=self._hello.worker,
            cameras=tuple(_status(each) for each in self._cameras.values()),
            resident_megabytes=round(resident_megabytes(), 1),
            list_revision=self._kit.lists.revision if self._kit is not None else 0,
        )

    def _watch_readers(self) -> None:
        self._ending = [pipeline for pipeline in self._ending if not pipeline.ended]
        for pipeline in (*self._pipelines(), *self._ending):
            if pipeline.hangs:
                raise ReaderHangsError(
                    "the reader hangs in the video library",
                    where=f"camera {pipeline.camera}",
                    remedy="This child ends and another takes its cameras; restart the camera if it happens again",
                )

    async def _send_statistics(self) -> None:
        while True:
            await self._clock.sleep(_STATISTICS_SECONDS)
            await self._tell_statistics()

    async def _tell_statistics(self) -> None:
        for pipeline in self._pipelines():
            await self._outlet.send(await asyncio.to_thread(pipeline.take_statistics))

    def _keep(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run beside the messages, owned by the role until it closes."""
        task = asyncio.create_task(work, name="video role")
        self._tasks.add(task)
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("what is done beside the messages failed", exc_info=error)

    async def close(self) -> None:
        """End all pipelines at once."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*(self._end(each) for each in self._cameras.values()))


def _user_of(assigned: CameraAssigned) -> tuple[str, str]:
    """Whose refusals a camera counts: it locks a user out, whichever of his passwords were wrong."""
    return urlsplit(assigned.url).netloc, assigned.username


def _unfetched(order: FetchRecording, reason: str) -> ClipPiece:
    """What to say if no recording is fetched."""
    return ClipPiece(
        evidence=order.evidence,
        event=order.event,
        camera=order.camera,
        person=order.person,
        number=0,
        data=b"",
        last=True,
        cut_short=True,
        trouble=reason,
        from_camera=True,
    )


def _status(watched: _Watched) -> CameraStatus:
    if watched.pipeline is None:
        return CameraStatus(
            camera=watched.assigned.camera,
            state="connecting",
            reason=NO_STREAM_ADDRESS,
            remedy=_NO_ADDRESS_REMEDY,
        )
    return watched.pipeline.status()
