"""The composition root of the alarm house: opens everything, runs it in one TaskGroup, closes it in reverse."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.api import (
    ApiParts,
    ApiServer,
    Calibrations,
    EventHub,
    Installation,
    Register,
    WalkTests,
    WatchList,
    create_app,
    ensure_tls,
)
from gateway.clock import Clock, SystemClock
from gateway.daemon.alarm_line import AlarmLine
from gateway.daemon.camera_reports import CameraReports
from gateway.daemon.chores import Chores, Failing, keep_going, without_harm
from gateway.daemon.damage import noting_damage
from gateway.daemon.device_memory import DeviceMemories
from gateway.daemon.garbage import Garbage, set_aside
from gateway.daemon.hooks import Hooks, Running
from gateway.daemon.links import mark_running, offer_setup
from gateway.daemon.narrator import Narrator
from gateway.daemon.notify import ServiceManager
from gateway.daemon.press_clips import PressClips
from gateway.daemon.press_looks import PressLooks
from gateway.daemon.response import Response
from gateway.daemon.unreadable import UnreadableTeller
from gateway.daemon.vision_line import VisionLine
from gateway.errors import PermanentError, TransientError
from gateway.events import Cause, Event, GatewayFault, GatewayStarted, GatewayStopped, Severity, gateway_source, new_id
from gateway.forwarding import Forwarder, Forwarders, Sink, UnusableSink, make_sink
from gateway.settings import CameraSettings, DestinationSettings, DeviceSettings, OutputSettings, Settings
from gateway.storage import Incident, PasswordHasher, Stored, Stores, new_token, open_storage

_log = logging.getLogger(__name__)
_MOST = {"camera": 256, "device": 2000, "destination": 64}


class _Stop(Exception):  # noqa: N818  # ends the TaskGroup in order
    pass


class AlarmHouse:
    """One gateway.

    Args:
        settings: the whole configuration.
        file: where it came from, for messages.
    """

    def __init__(self, settings: Settings, *, file: str, stores: Stores, clock: Clock, hooks: Hooks) -> None:
        self._settings = settings
        self._stores = stores
        self._clock = clock
        self._hooks = hooks
        self._stop = asyncio.Event()
        self._manager = ServiceManager()
        self._failing = Failing()
        site = settings.gateway.site
        self._hub = EventHub(stores.journal, clock)
        self._passwords = PasswordHasher()
        self._alarms = AlarmLine(
            settings,
            report=self._report_press,
            unstored=self._hub.show_unstored,
            clock=clock,
            kept=stores.mqtt,
            verify=self._passwords.verify,
        )
        self._memories = DeviceMemories(self._alarms.listener, stores.devices, stores.journal)
        self._vision = VisionLine(settings, stores, clock, self._alarms)
        self._watchlist = WatchList(site, stores, self._vision.workers, clock)
        self._calibrations = Calibrations(site, stores, self._vision.workers, clock)
        self._chores = Chores(stores, self._watchlist, settings.evidence, clock, self._manager)
        self._response = Response(
            settings,
            stores,
            clock,
            device=self._device,
            switch=self._switch,
            on_transition=self._on_transition,
            returned=self._alarms.supervision.look_again,
        )
        self._forwarders = Forwarders(self._forwarder)
        self._installation = self._registers(file)
        trials, devices = self._alarms.listener.trials, self._installation.devices.all
        self._walk_tests = WalkTests(site, stores.journal, trials, devices, clock)
        self._press_clips = PressClips(
            stores.journal,
            settings.evidence,
            self._linked_cameras,
            self._vision.workers.record_clip,
            self._vision.give_up,
            clock,
        )
        find_camera, look_at = self._installation.cameras.find, self._vision.workers.look_at
        cameras, states = self._installation.cameras.all, self._vision.workers.cameras
        self._camera_reports = CameraReports(site, stores.journal, cameras, states, clock)
        self._press_looks = PressLooks(stores.journal, self._device, find_camera, look_at)

    def _report(self, event: Event) -> Awaitable[Stored]:
        return self._response.report(event, self._stores.journal.append)

    async def _report_press(self, event: Event) -> Event:
        return (await self._report(event)).event

    def _device(self, device: str) -> DeviceSettings | None:
        return self._installation.devices.find(device)

    def _linked_cameras(self, device: str) -> tuple[str, ...]:
        found = self._device(device)
        return found.linked_cameras if found is not None else ()

    def _switch(self, output: OutputSettings, on: bool) -> None:  # the outputs' port
        (self._alarms if output.camera is None else self._vision).switch(output, on)

    def _on_transition(self, incident: Incident, event: Event) -> None:
        self._alarms.answer_transition(incident, event)
        self._chores.note_transition(incident, event)

    def _forwarder(self, destination: DestinationSettings) -> Forwarder:
        return Forwarder(
            destination,
            site=self._settings.gateway.site,
            journal=self._stores.journal,
            outbox=self._stores.outbox,
            sink=self._sink_of(destination),
            report=self._stores.journal.append,
            clock=self._clock,
            settings=self._settings.forwarding,
            start=self._start_of_new_ones(),
        )

    def _sink_of(self, destination: DestinationSettings) -> Sink:
        """At the start an entry that cannot be used fails by itself: it must not keep presses from being taken."""
        try:
            return make_sink(destination)
        except PermanentError as error:
            if self._installation.loaded:
                raise
            _log.error("%s", error)
            return UnusableSink(f"its entry cannot be used: {error.where} {error.what}")

    def _start_of_new_ones(self) -> int:
        """Behind what is there now; a while after places were lost, a day before, because a receiver takes doubles."""
        again = self._stores.resend_from
        return self._stores.journal.last_position if again is None else again

    def _registers(self, file: str) -> Installation:
        def register(kind: str, model: Any, entries: Any, put: Any, drop: Any) -> Any:  # noqa: ANN401  # one shape for three kinds
            return Register(kind, model, entries, file, self._stores.entries, put, drop, _MOST[kind])

        settings, alarms, workers = self._settings, self._alarms, self._vision.workers
        return Installation(
            cameras=register("camera", CameraSettings, settings.cameras, workers.assign, workers.withdraw),
            devices=register("device", DeviceSettings, settings.devices, alarms.put_device, alarms.drop_device),
            destinations=register(
                "destination",
                DestinationSettings,
                settings.destinations,
                self._forwarders.put,
                self._forwarders.remove,
            ),
        )

    async def _parts(self) -> ApiParts:
        return ApiParts(
            settings=self._settings,
            stores=self._stores,
            desk=self._response.desk,
            drills=self._response.drills,
            service=self._response.service,
            posts=self._response.posts,
            outputs=self._response.outputs,
            hub=self._hub,
            watchlist=self._watchlist,
            calibrations=self._calibrations,
            installation=self._installation,
            workers=self._vision.workers,
            forwarders=self._forwarders,
            clock=self._clock,
            passwords=self._passwords,
            decoy_hash=await self._passwords.hash(new_token()),
            accepting=lambda: self._alarms.accepting,
            loop_lag_ms=lambda: self._chores.loop_lag_ms,
            failing_tasks=lambda: self._failing.names,
            endpoint=self._alarms.statistics,
            brokers=self._alarms.broker_states,
            device_statuses=self._alarms.supervision.statuses,
            device_topics=self._alarms.listener.topics_of,
            trials=self._alarms.listener.trials,
            walk_tests=self._walk_tests,
            panels=self._alarms.panel_statistics,
            demo_press=self._hooks.press,
        )

    def stop(self) -> None:
        """End in order; `run` returns when all is closed."""
        self._stop.set()

    async def run(self) -> None:
        """Run until `stop`.

        Raises:
            StorageFailedError: the disk failed; start anew.
            GatewayError: something cannot be opened.
        """
        await self._response.load()
        parts = await self._parts()
        await parts.known.load(self._stores.accounts, self._clock.now())
        server = ApiServer(create_app(parts), self._settings.api, self._tls(), self._hub, parts.known)
        server.bind()
        await self._installation.load()
        try:
            async with asyncio.TaskGroup() as group:
                await self._memories.load()
                await self._walk_tests.resume()
                self._start_tasks(group, server)
                set_aside()
                await self._alarms.start()
                await server.started()
                await self._say_ready(server.url)
                group.create_task(self._watch_journal(), name="journal failure")
                group.create_task(self._watch_state(), name="state failure")
                if self._hooks.on_ready is not None:
                    group.create_task(self._on_ready(server.url), name="on ready")
                await self._stop.wait()
                await self._close(server)
                raise _Stop
        except* _Stop:
            pass
        finally:
            await self._forwarders.close()

    def _tls(self) -> Any:  # noqa: ANN401  # TlsFiles or None
        if self._settings.api.tls == "off":
            return None
        site, names = self._settings.gateway.site, [*self._settings.api.names, self._settings.api.host]
        usable = [name for name in names if name not in ("0.0.0.0", "::")]  # noqa: S104  # compared only
        return ensure_tls(self._settings.storage.directory, site=site, names=usable, now=self._clock.now())

    def _start_tasks(self, group: asyncio.TaskGroup, server: ApiServer) -> None:
        vision = without_harm(self._vision.workers.run, "workers", self._report_end)
        self._workers_task = group.create_task(vision, name="workers")
        self._server_task = group.create_task(server.run(), name="api")
        for name, work in {
            "event hub": self._hub.run,
            "narrator": Narrator(self._stores.journal, self._clock).run,
            "damaged events": self._unreadable().run,
            **self._response.work(),
            "supervision": self._alarms.supervision.run,
            "memory of devices": self._memories.run,
            "walk tests": self._walk_tests.run,
            "expiry": self._chores.expire_people,
            "evidence": self._chores.purge_evidence,
            "judged evidence": self._chores.keep_judged,
            "disk": self._chores.watch_disk,
            "clips": lambda: self._stores.clips.run(self._report_fault),
            "clips of presses": self._press_clips.run,
            "own recordings of cameras": self._vision.recordings.run,
            "looks of cameras": self._press_looks.run,
            "report of cameras": self._camera_reports.run,
            "calibration": self._calibrations.run,
            "warnings for calibration": self._calibrations.follow,
            "loop lag": self._chores.measure_lag,
            "watchdog": self._chores.feed_watchdog,
            "garbage": Garbage(self._clock, lambda: self._stores.journal.last_position).run,
        }.items():
            group.create_task(keep_going(work, name, self._report_fault, self._failing), name=name)
        for session in self._alarms.sessions:
            name = f"broker {session.address}"
            group.create_task(keep_going(session.run, name, self._report_fault, self._failing), name=name)

    def _unreadable(self) -> UnreadableTeller:
        return UnreadableTeller(self._stores.journal, gateway_source(self._settings.gateway.site), self._clock)

    async def _say_ready(self, url: str) -> None:
        clean = mark_running(self._marker())
        await self._note(self._own_event(GatewayStarted, version=__version__, clean=clean))
        await self._say_faults()
        if self._hooks.on_ready is None:
            await offer_setup(self._stores, self._clock, url, self._settings.storage.directory)
        if self._hooks.on_ready is None:
            print(f"ready {url} {self._alarms.address}", flush=True)  # noqa: T201  # what `run` prints
        self._manager.ready(f"accepting presses on {self._alarms.address}")

    async def _say_faults(self) -> None:
        """What the start found wrong; a file that was put aside is told once, by the id of what became of it."""
        for found in (each for each in self._stores.faults if not each.told):
            fault = self._own_event(GatewayFault, Severity.CRITICAL, **found.cause.data)
            await self._note(replace(fault, id=found.id))
        for cause in self._installation.faults:
            await self._note(self._own_event(GatewayFault, Severity.HIGH, **cause.data))
        if (wrong := self._stores.wrong_key) is not None:
            await self._note(self._own_event(GatewayFault, Severity.CRITICAL, **wrong.cause.data))

    async def _note(self, event: Event) -> None:
        """Journal what the gateway did; on a full disk it serves all the same, and shows presses unstored."""
        try:
            await self._stores.journal.append(event)
        except TransientError as error:
            _log.error("%s is not in the journal: %s", event.TYPE, error)

    def _marker(self) -> Path:
        return self._settings.storage.directory / "running"

    async def _on_ready(self, url: str) -> None:
        if self._hooks.on_ready is not None:
            running = Running(
                url=url,
                alarms_address=self._alarms.address,
                stores=self._stores,
                watchlist=self._watchlist,
                clock=self._clock,
                stop=self.stop,
            )
            await self._hooks.on_ready(running)

    async def _report_fault(self, cause: Cause) -> None:
        event = self._own_event(GatewayFault, Severity.MEDIUM, **cause.data)
        await self._stores.journal.append(event)

    async def _report_end(self, cause: Cause) -> None:
        await self._stores.journal.append(self._own_event(GatewayFault, Severity.CRITICAL, **cause.data))

    async def _watch_journal(self) -> None:
        """A journal that failed ends the daemon: its supervisor starts it anew, and the start recovers."""
        raise await asyncio.shield(self._stores.journal.failed)

    async def _watch_state(self) -> None:
        """So does a ``state.db`` that turned out to be damaged, whoever met it: the next start puts it aside."""
        raise await asyncio.shield(self._stores.state_damaged)

    async def _close(self, server: ApiServer) -> None:
        """In order: no more presses, children, screens; each waits for the one before."""
        self._manager.stopping()
        await self._alarms.stop()
        await self._remember_devices()
        self._vision.workers.stop()
        await asyncio.wait([self._workers_task])
        server.stop()
        await asyncio.wait([self._server_task])
        await self._note(self._own_event(GatewayStopped, reason="asked to"))
        self._marker().unlink(missing_ok=True)

    async def _remember_devices(self) -> None:
        try:
            await self._memories.save()
        except TransientError as error:
            _log.error("what is known of devices was not written down: %s", error)

    def _own_event(self, kind: Callable[..., Event], severity: Severity = Severity.INFO, **data: object) -> Event:
        source = gateway_source(self._settings.gateway.site)
        return kind(id=new_id(), source=source, subject="gateway", time=self._clock.now(), severity=severity, **data)


async def run_house(
    settings: Settings, *, file: str, on_stop: Callable[[Callable[[], None]], None], hooks: Hooks | None = None
) -> None:
    """Open the stores, run the house, close the stores.

    Args:
        settings: the whole configuration.
        file: where it came from, for messages.
        on_stop: given the function that ends the house in order, for signal handlers.
        hooks: what the demo adds.

    Raises:
        GatewayError: something cannot be opened, or the disk failed.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(noting_damage())
        stores = await open_storage(settings.storage, clock)
        stack.push_async_callback(stores.close)
        house = AlarmHouse(settings, file=file, stores=stores, clock=clock, hooks=hooks or Hooks())
        on_stop(house.stop)
        await house.run()
