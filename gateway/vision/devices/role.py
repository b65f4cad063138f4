"""The devices role: one task per ONVIF camera."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace

from gateway.cameras import AnnouncementListener, Login, OnvifCamera, OnvifLibrary, PasswordGuard, PushReceiver
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.events import CameraFault, encode
from gateway.vision.child import Outlet, UnexpectedMessageError
from gateway.vision.child.hardening import resident_megabytes
from gateway.vision.devices.commands import Commands
from gateway.vision.devices.finder import Finder, Known
from gateway.vision.devices.listening import Ear, EventListening
from gateway.vision.devices.own_recording import RecordingRounds, replay_of
from gateway.vision.devices.returning import Returning, is_the_same, may_follow
from gateway.vision.devices.watch import Companion, DeviceWatch, elsewhere_event, moved_event
from gateway.wire import (
    CameraAssigned,
    CameraDescribed,
    CameraWithdrawn,
    DiscoverRequest,
    Heartbeat,
    Hello,
    LookAt,
    PictureReply,
    PictureRequest,
    Ready,
    Received,
    RecordingRequest,
    Report,
    StreamLost,
    SwitchRelay,
)

_LOG = logging.getLogger(__name__)
_Credentials = tuple[str, str, str]


class DevicesRole:
    """Watches the ONVIF cameras that the parent assigns.

    Args:
        hello: the parent's first message.
        outlet: the way to the parent.
    """

    def __init__(self, hello: Hello, outlet: Outlet) -> None:
        self._hello = hello
        self._outlet = outlet
        self._clock = SystemClock()
        self._library = OnvifLibrary()
        self._push = PushReceiver(port=hello.vision.push_port)
        self._guards: dict[_Credentials, PasswordGuard] = {}
        self._finder = Finder(self._library, hello.vision.camera_networks)
        self._returning = Returning(self._finder, lambda: self._watches, self._move, self._clock)
        self._announcements = AnnouncementListener(self._returning.heard, hello.vision.camera_networks)
        self._searches: set[asyncio.Task[None]] = set()
        self._commands = Commands(self._clock)
        self._cameras: dict[str, OnvifCamera] = {}
        self._watches: dict[str, DeviceWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> Ready:
        """Nothing to load: the ONVIF library comes with the first camera."""
        if self._hello.vision.camera_networks:
            await self._announcements.open()
            self._searches.add(asyncio.create_task(self._returning.run(), name="cameras that moved"))
        return Ready(worker=self._hello.worker, detail="asks cameras over ONVIF")

    async def handle(self, received: Received) -> None:
        """Take or drop a camera, or ask one again."""
        match received.message:
            case CameraAssigned() as assigned:
                async with self._changing:
                    await self._drop(assigned.camera)
                    await self._take(assigned)
            case CameraWithdrawn(camera=camera):
                async with self._changing:
                    await self._drop(camera)
            case SwitchRelay(camera=camera) | LookAt(camera=camera) as command:
                self._command(camera, command)
            case DiscoverRequest() as request:
                self._look_around(request)
            case RecordingRequest() as request:
                self._beside(f"own recording {request.request}", self._tell_recording(request))
            case StreamLost(camera=camera):
                if camera in self._watches:
                    self._watches[camera].ask_again()
            case other:
                raise UnexpectedMessageError(f"a devices child does not take {type(other).__name__}")

    def _camera(self, assigned: CameraAssigned) -> OnvifCamera:
        return OnvifCamera(
            assigned.url,
            Login(assigned.username, assigned.password, assigned.tls_fingerprint),
            library=self._library,
            guard=self._guard(assigned),
            networks=assigned.networks,
        )

    async def _move(self, watch: DeviceWatch, url: str) -> bool:
        """Take a camera to where it answers now, if what answers there is the same; or only tell that it seems so."""
        assigned = replace(watch.assigned, url=url)
        if not may_follow(assigned, always=self._hello.vision.follow_moved_cameras):
            if watch.tells_of(url):
                await self._tell(elsewhere_event(assigned, self._hello.site, self._clock.now()))
            return False
        camera = self._camera(assigned)
        try:
            said = await camera.probe()
        except GatewayError as error:
            _LOG.info("camera %s is not the one at %s: %s", assigned.camera, url, error)
            return False
        finally:
            await camera.close()
        if not is_the_same(watch.described, said) or not await self._replaced(watch, assigned):
            return False
        await self._tell(moved_event(assigned, self._hello.site, self._clock.now()))
        return True

    async def _replaced(self, watch: DeviceWatch, assigned: CameraAssigned) -> bool:
        """Whether the camera is watched as `assigned` now; not if it was withdrawn or changed while it was asked."""
        async with self._changing:
            if self._watches.get(assigned.camera) is not watch:
                return False
            await self._drop(assigned.camera)
            await self._take(assigned)
            return True

    async def _tell(self, event: CameraFault) -> None:
        await self._outlet.send(Report(event=encode(event)))

    async def _take(self, assigned: CameraAssigned) -> None:
        try:
            camera = self._camera(assigned)
        except GatewayError as error:
            _LOG.error("camera %s cannot be asked: %s", assigned.camera, error)
            await self._outlet.send(CameraDescribed(camera=assigned.camera, state="not_onvif", remedy=error.remedy))
            return
        ear = Ear(camera.events, camera.address.host, self._push)
        listening = EventListening(assigned, ear, self._hello.site, self._outlet, self._clock)
        rounds = RecordingRounds(assigned, camera, self._hello.site, self._outlet, self._clock, self._hello.vision)
        beside: dict[str, Companion] = {"listening to": listening, "own recording of": rounds}
        watch = DeviceWatch(assigned, camera, self._hello.site, self._outlet, self._clock, beside)
        self._watches[assigned.camera] = watch
        self._cameras[assigned.camera] = camera
        self._tasks[assigned.camera] = asyncio.create_task(watch.run(), name=f"watch {assigned.camera}")

    def _command(self, camera: str, command: SwitchRelay | LookAt) -> None:
        told = self._cameras.get(camera)
        if told is None:
            _LOG.error("camera %s is not asked over ONVIF: it is told nothing", camera)
        elif isinstance(command, SwitchRelay):
            self._commands.switch(told, command)
        else:
            self._commands.look(told, command)

    def _look_around(self, request: DiscoverRequest) -> None:
        known = {camera: (watch.assigned, watch.described) for camera, watch in self._watches.items()}
        self._beside(f"discovery {request.request}", self._answer(request, known))

    def _beside(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Answer when it is over; messages are taken meanwhile."""
        task = asyncio.create_task(work, name=name)
        self._searches.add(task)
        task.add_done_callback(self._searched)

    async def _tell_recording(self, request: RecordingRequest) -> None:
        await self._outlet.send(await replay_of(request, self._cameras.get(request.camera)))

    def _searched(self, task: asyncio.Task[None]) -> None:
        self._searches.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("%s failed", task.get_name(), exc_info=error)

    async def _answer(self, request: DiscoverRequest, known: Known) -> None:
        await self._outlet.send(await self._finder.discover(request, known))

    def _guard(self, assigned: CameraAssigned) -> PasswordGuard:
        """The count of refusals of these credentials goes on when a camera is assigned anew: cameras lock users out."""
        key = _credentials(assigned)
        if key not in self._guards:
            used = {_credentials(watch.assigned) for watch in self._watches.values()}
            self._guards = {each: guard for each, guard in self._guards.items() if each in used or not guard.is_spent}
            self._guards[key] = self._new_guard(assigned)
        return self._guards[key]

    def _new_guard(self, assigned: CameraAssigned) -> PasswordGuard:
        """That of a password that was not tried yet; refusals of the same user's other passwords count."""
        user = _credentials(assigned)[:2]
        others = [guard for key, guard in self._guards.items() if key[:2] == user]
        last = max(others, key=lambda guard: guard.refused_at, default=None)
        return PasswordGuard(assigned.url, self._clock) if last is None else last.successor()

    async def _drop(self, camera: str) -> None:
        await self._commands.close(camera)
        self._watches.pop(camera, None)
        self._cameras.pop(camera, None)
        task = self._tasks.pop(camera, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def picture(self, request: PictureRequest) -> PictureReply:
        """The camera's own snapshot; its size is the camera's choice."""
        watch = self._watches.get(request.camera)
        if watch is None:
            return PictureReply(request=request.request, camera=request.camera, refusal="not asked over ONVIF")
        try:
            jpeg = await watch.picture()
        except GatewayError as error:
            return PictureReply(request=request.request, camera=request.camera, refusal=error.what)
        except Exception as error:  # one camera's picture must not end the child of all cameras
            _LOG.exception("camera %s: its picture", request.camera)
            return PictureReply(request=request.request, camera=request.camera, refusal=type(error).__name__)
        return PictureReply(request=request.request, camera=request.camera, jpeg=jpeg)

    def heartbeat(self) -> Heartbeat:
        """No camera's state is in it: the video child says whether there is a picture."""
        return Heartbeat(worker=self._hello.worker, resident_megabytes=resident_megabytes())

    async def close(self) -> None:
        """End all watches at once: each tells its camera that it is heard no more."""
        self._announcements.close()
        for search in tuple(self._searches):
            search.cancel()
        await asyncio.gather(*self._searches, return_exceptions=True)
        await asyncio.gather(*(self._drop(camera) for camera in tuple(self._tasks)))
        await self._push.close()


def _credentials(assigned: CameraAssigned) -> _Credentials:
    return assigned.url, assigned.username, assigned.password
