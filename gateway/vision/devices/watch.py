"""Looks after one ONVIF camera: asks until it answers, tells what it said, asks again when its stream is lost."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from gateway.cameras import CameraDescription, CameraError, CameraState, jpeg_size
from gateway.clock import Clock, doubled
from gateway.errors import GatewayError
from gateway.events import CameraFault, Severity, camera_source, encode, new_id
from gateway.vision.certificates import CertificateWatch
from gateway.vision.devices.profile_drift import Drift, ProfileWatch
from gateway.wire import CameraAssigned, CameraDescribed, Message, Report, StreamAddress

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 600.0
_LEAST_WAIT_SECONDS = 1.0
_TRIES_BEFORE_AWAY = 3
_MOST_TOLD, _TOLD_SECONDS = 3, 86_400.0
_LARGEST_PICTURE_BYTES = 8 * 1024 * 1024
_MOST_PIXELS = 64_000_000


class AskedCamera(Protocol):
    """What is asked of a camera; `gateway.cameras.OnvifCamera` is one."""

    async def probe(self) -> CameraDescription:
        """What it is and where it streams, or a CameraError."""
        ...

    async def snapshot(self) -> bytes:
        """A picture of now, or a CameraError."""
        ...

    @property
    def certificate(self) -> bytes:
        """The certificate that it showed last, in DER; empty without TLS."""
        ...

    async def close(self) -> None:
        """Close kept connections."""
        ...


class Sender(Protocol):
    """The way to the parent."""

    async def send(self, message: Message) -> None:
        """Send one message."""
        ...


class Companion(Protocol):
    """What is done beside with a camera that answers: its events are heard, its own recording is looked at."""

    async def run(self) -> None:
        """For ever; tidies up when it is cancelled."""
        ...

    def figures(self) -> dict[str, object]:
        """What it found, for the camera's description."""
        ...


class DeviceWatch:
    """One camera.

    Args:
        assigned: the camera as the parent gave it.
        camera: asked over ONVIF.
        site: for the source of events.
        sender: the way to the parent.
        clock: for time stamps and waits.
        companions: run once the camera was asked with success, by their names.

    Attributes:
        described: what the camera said of itself last; None until it did.
    """

    def __init__(
        self,
        assigned: CameraAssigned,
        camera: AskedCamera,
        site: str,
        sender: Sender,
        clock: Clock,
        companions: Mapping[str, Companion] | None = None,
    ) -> None:
        self.assigned = self._assigned = assigned
        self.described: CameraDescription | None = None
        self._camera = camera
        self._site = site
        self._sender = sender
        self._clock = clock
        self._again = asyncio.Event()
        self._answered_once = asyncio.Event()
        self._state: CameraState | None = None
        self._companions = dict(companions or {})
        self._reported = CameraState.OK
        self._failures = 0
        self._told_of: dict[str, float] = {}
        self._certificate = CertificateWatch(assigned, site)
        self._profiles = ProfileWatch()

    @property
    def is_away(self) -> bool:
        """Whether a camera that answered before does so no more, and not just for a moment."""
        gone = self._state in (CameraState.UNREACHABLE, CameraState.REFUSED)
        return gone and self._failures >= _TRIES_BEFORE_AWAY and self.described is not None

    def ask_again(self) -> None:
        """The stream was lost: the camera may have moved it."""
        self._again.set()

    def tells_of(self, url: str) -> bool:
        """Whether it is news that the camera seems to be there; three hosts a day, for anybody can pretend to be it."""
        host, now = urlsplit(url).hostname or url, self._clock.monotonic()
        self._told_of = {each: told for each, told in self._told_of.items() if now - told < _TOLD_SECONDS}
        if host in self._told_of or len(self._told_of) >= _MOST_TOLD:
            return False
        self._told_of[host] = now
        return True

    async def run(self) -> None:
        """Ask and listen for ever; in the end the subscription ends before the connections do."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask_for_ever(), name=f"ask {self._assigned.camera}")
                for name, companion in self._companions.items():
                    group.create_task(self._accompany(name, companion), name=f"{name} {self._assigned.camera}")
        finally:
            await self._camera.close()

    async def _accompany(self, name: str, companion: Companion) -> None:
        """A contact on the camera may be an alarm button: whatever happens, it is listened to again."""
        await self._answered_once.wait()
        while True:
            try:
                await companion.run()
            except Exception:
                _LOG.exception("camera %s: %s ended", self._assigned.camera, name)
            await self._clock.sleep(_FIRST_WAIT_SECONDS)

    async def _ask_for_ever(self) -> None:
        """What a camera made of its answer is a state already; what is left is a fault of ours, and ends no watch."""
        while True:
            self._again.clear()
            try:
                await self._ask()
            except Exception:
                self._failures += 1
                _LOG.exception("camera %s: asking it ended", self._assigned.camera)
            await self._clock.sleep(_LEAST_WAIT_SECONDS)
            await self._wait()

    async def _wait(self) -> None:
        # Not wait_for: in Python 3.11 that swallows a cancellation when the event was just set.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause_seconds()):
                await self._again.wait()

    def _pause_seconds(self) -> float:
        if not self._failures:
            return _LOOK_AGAIN_SECONDS
        wait = doubled(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS, self._failures - 1)
        return wait * (0.5 + random.random())  # noqa: S311  # spreads retries, keeps no secret

    async def _ask(self) -> None:
        try:
            described = await self._camera.probe()
        except CameraError as error:
            await self._failed(error.state, error)
        except GatewayError as error:
            await self._failed(CameraState.NOT_ONVIF, error)
        else:
            await self._answered(described)

    async def _failed(self, state: CameraState, error: GatewayError) -> None:
        self._failures += 1
        if state is not self._state:
            _LOG.warning("camera %s: %s", self._assigned.camera, error)
            await self._describe(state, {}, error.what)
        self._state = state
        # One failed try of what passes by itself is no news yet.
        if self._failures > 1 or not state.may_pass:
            await self._report(state, error.what)

    async def _answered(self, described: CameraDescription) -> None:
        state = described.state
        if self._failures or self._state is None:
            _LOG.info("camera %s answers: %s %s", self._assigned.camera, described.manufacturer, described.model)
        self._failures = 0
        self._state = state
        self.described = described
        self._answered_once.set()
        faults = self._health(described)
        found = self._certificate_said()
        for companion in self._companions.values():
            found |= companion.figures()
        await self._describe(state, asdict(described) | found, _clock_in_words(described))
        await self._sender.send(
            StreamAddress(camera=self._assigned.camera, url=described.stream, sub_url=described.sub_stream or "")
        )
        await self._report(state, _clock_in_words(described))
        for fault in faults:
            await self._sender.send(Report(event=encode(fault)))

    def _health(self, described: CameraDescription) -> list[CameraFault]:
        """What is news about its certificate and its profiles."""
        now = self._clock.now()
        ends = self._certificate.judge(self._camera.certificate, now)
        drifts = [
            drift_event(self._assigned, self._site, now, each) for each in self._profiles.judge(described.profiles)
        ]
        return drifts if ends is None else [ends, *drifts]

    def _certificate_said(self) -> dict[str, object]:
        """When its certificate ends, for its description; nothing without TLS."""
        ends = self._certificate.ends
        if ends is None:
            return {}
        left = self._certificate.days_left(self._clock.now())
        return {"certificate_ends": ends.isoformat(), "certificate_days_left": left}

    async def _describe(self, state: CameraState, description: dict[str, object], detail: str = "") -> None:
        await self._sender.send(
            CameraDescribed(
                camera=self._assigned.camera,
                state=state.value,
                remedy=state.remedy,
                detail=detail,
                description=description,
            )
        )

    async def _report(self, state: CameraState, detail: str = "") -> None:
        """An event for a state that is not the one reported last; the return to ok is one, too."""
        if state is self._reported:
            return
        self._reported = state
        event = CameraFault(
            id=new_id(),
            source=camera_source(self._site, self._assigned.camera),
            subject=self._assigned.camera,
            time=self._clock.now(),
            severity=Severity.INFO if state is CameraState.OK else Severity.MEDIUM,
            camera=self._assigned.camera,
            name=self._assigned.name,
            place=self._assigned.place,
            state=state.value,
            remedy=state.remedy,
            detail=detail,
        )
        await self._sender.send(Report(event=encode(event)))

    async def picture(self) -> bytes:
        """The camera's own snapshot, a JPEG.

        Raises:
            CameraError: it has none, or none that can be passed on as it is.
        """
        picture = await self._camera.snapshot()
        size = jpeg_size(picture) if len(picture) <= _LARGEST_PICTURE_BYTES else None
        if size is None:
            raise CameraError(CameraState.NO_SNAPSHOT, f"its snapshot is no JPEG of at most {_LARGEST_PICTURE_BYTES} B")
        if size[0] * size[1] > _MOST_PIXELS:  # a browser would take gigabytes to show it
            raise CameraError(CameraState.NO_SNAPSHOT, f"its snapshot says that it has {size[0]} x {size[1]} pixels")
        return picture


def _clock_in_words(described: CameraDescription) -> str:
    """The figure of a clock that is off; empty if it is right."""
    offset = described.clock_offset_seconds
    if offset is None or described.state is not CameraState.CLOCK_OFF:
        return ""
    return f"its clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"


def moved_event(assigned: CameraAssigned, site: str, now: datetime) -> CameraFault:
    """The event of a camera that was taken to another address."""
    remedy = "Give it a fixed address, and change the url of its entry."
    return _fault(assigned, site, now, ("moved", f"it answers at {assigned.url} now", remedy))


def elsewhere_event(assigned: CameraAssigned, site: str, now: datetime) -> CameraFault:
    """The event of a camera that is away, and whose endpoint is announced at another address."""
    remedy = "If that is this camera, change the url of its entry, or set vision.follow_moved_cameras."
    return _fault(assigned, site, now, ("seen_elsewhere", f"it seems to be at {assigned.url} now", remedy))


def drift_event(assigned: CameraAssigned, site: str, now: datetime, drift: Drift) -> CameraFault:
    """The event of a stream that was set up anew."""
    remedy = "If nobody meant that, set the stream up in the camera as it was."
    detail = f"its {drift.stream} stream was {drift.before} and is {drift.now}"
    event = _fault(assigned, site, now, ("profile_changed", detail, remedy))
    return replace(event, severity=Severity.MEDIUM, figures=asdict(drift))


def _fault(assigned: CameraAssigned, site: str, now: datetime, said: tuple[str, str, str]) -> CameraFault:
    state, detail, remedy = said
    return CameraFault(
        id=new_id(),
        source=camera_source(site, assigned.camera),
        subject=assigned.camera,
        time=now,
        severity=Severity.HIGH,
        camera=assigned.camera,
        name=assigned.name,
        place=assigned.place,
        state=state,
        remedy=remedy,
        detail=detail,
    )
