"""The devices role: one task per ONVIF camera."""

import asyncio
import logging

from gateway.cameras import Login, OnvifCamera, OnvifLibrary, PasswordGuard, PushReceiver
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.vision.child import Outlet, UnexpectedMessageError
from gateway.vision.child.hardening import resident_megabytes
from gateway.vision.devices.finder import Finder, Known
from gateway.vision.devices.listening import Ear, EventListening
from gateway.vision.devices.watch import DeviceWatch
from gateway.wire import (
    CameraAssigned,
    CameraDescribed,
    CameraWithdrawn,
    DiscoverRequest,
    Heartbeat,
    Hello,
    PictureReply,
    PictureRequest,
    Ready,
    Received,
    StreamLost,
)

_LOG = logging.getLogger(__name__)


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
        self._guards: dict[tuple[str, str, str], PasswordGuard] = {}
        self._finder = Finder(self._library, hello.vision.camera_networks)
        self._searches: set[asyncio.Task[None]] = set()
        self._watches: dict[str, DeviceWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> Ready:
        """Nothing to load: the ONVIF library comes with the first camera."""
        return Ready(worker=self._hello.worker, detail="asks cameras over ONVIF")

    async def handle(self, received: Received) -> None:
        """Take or drop a camera, or ask one again."""
        match received.message:
            case CameraAssigned() as assigned:
                await self._drop(assigned.camera)
                await self._take(assigned)
            case CameraWithdrawn(camera=camera):
                await self._drop(camera)
            case DiscoverRequest() as request:
                self._look_around(request)
            case StreamLost(camera=camera):
                if camera in self._watches:
                    self._watches[camera].ask_again()
            case other:
                raise UnexpectedMessageError(f"a devices child does not take {type(other).__name__}")

    async def _take(self, assigned: CameraAssigned) -> None:
        try:
            login = Login(assigned.username, assigned.password, assigned.tls_fingerprint)
            camera = OnvifCamera(
                assigned.url,
                login,
                library=self._library,
                guard=self._guard(assigned),
                networks=assigned.networks,
            )
        except GatewayError as error:
            _LOG.error("camera %s cannot be asked: %s", assigned.camera, error)
            await self._outlet.send(CameraDescribed(camera=assigned.camera, state="not_onvif", remedy=error.remedy))
            return
        ear = Ear(camera.events, camera.address.host, self._push)
        listening = EventListening(assigned, ear, self._hello.site, self._outlet, self._clock)
        watch = DeviceWatch(assigned, camera, self._hello.site, self._outlet, self._clock, listening)
        self._watches[assigned.camera] = watch
        self._tasks[assigned.camera] = asyncio.create_task(watch.run(), name=f"watch {assigned.camera}")

    def _look_around(self, request: DiscoverRequest) -> None:
        """Answer when the search is over; messages are taken meanwhile."""
        known = {camera: (watch.assigned, watch.described) for camera, watch in self._watches.items()}
        task = asyncio.create_task(self._answer(request, known), name=f"discovery {request.request}")
        self._searches.add(task)
        task.add_done_callback(self._searches.discard)

    async def _answer(self, request: DiscoverRequest, known: Known) -> None:
        await self._outlet.send(await self._finder.discover(request, known))

    def _guard(self, assigned: CameraAssigned) -> PasswordGuard:
        """The count of refusals of these credentials goes on when a camera is assigned anew: cameras lock users out."""
        key = (assigned.url, assigned.username, assigned.password)
        if key not in self._guards:
            self._guards[key] = PasswordGuard(assigned.url, self._clock)
        return self._guards[key]

    async def _drop(self, camera: str) -> None:
        self._watches.pop(camera, None)
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
        return PictureReply(request=request.request, camera=request.camera, jpeg=jpeg)

    def heartbeat(self) -> Heartbeat:
        """No camera's state is in it: the video child says whether there is a picture."""
        return Heartbeat(worker=self._hello.worker, resident_megabytes=resident_megabytes())

    async def close(self) -> None:
        """End all watches at once: each tells its camera that it is heard no more."""
        for search in tuple(self._searches):
            search.cancel()
        await asyncio.gather(*self._searches, return_exceptions=True)
        await asyncio.gather(*(self._drop(camera) for camera in tuple(self._tasks)))
        await self._push.close()
