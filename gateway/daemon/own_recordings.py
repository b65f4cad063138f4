"""Has the camera's own recording fetched of the time around an alarm of which our own clip has a gap."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gateway.clock import Clock
from gateway.daemon.clip_parts import part_of
from gateway.errors import GatewayError, TransientError
from gateway.events import new_id
from gateway.settings import EvidenceSettings
from gateway.storage import ClipState, Evidence, StorageFailedError, Stores
from gateway.wire import (
    CREDENTIALS_WRONG,
    NO_RECORDING,
    UNREACHABLE,
    WORKER_AWAY,
    ClipPiece,
    FetchRecording,
    RecordingReply,
)

CAMERA_CLIP = "camera_clip"
MISSING = "missing"
_log = logging.getLogger(__name__)
# Cameras write what they record in pieces of seconds; one that was away records and answers a while later.
_SETTLE_SECONDS = 5.0
_AGAIN_SECONDS = (30.0, 120.0, 600.0, 1800.0)
_FINAL = frozenset({NO_RECORDING, CREDENTIALS_WRONG})
# Cameras lock a user out after some wrong passwords: after one that its replay refused it is not tried for so long.
_REFUSED_SECONDS = 1800.0
_RESUMED = timedelta(days=1)
_MOST_AT_ONCE, _MOST_WAITING, _MOST_OF_CAMERA = 4, 200, 8
# A child ends a fetch by itself long before.
_LONGEST_SECONDS, _SECONDS_PER_SECOND = 120.0, 3.0


class Children(Protocol):
    """Who is asked; `gateway.workers.Workers` is one."""

    def is_by_onvif(self, camera: str) -> bool:
        """Whether a camera may have a recording of its own."""
        ...

    async def own_recording(self, camera: str) -> RecordingReply:
        """Where it is played, or why that is not known; raises TransientError while nobody can be asked."""
        ...

    def fetch_recording(self, order: FetchRecording) -> bool:
        """Ask for a part of it, without waiting; whether there was somebody to ask."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    """A clip with a gap.

    Attributes:
        due: when it is tried next, in monotonic seconds.
        tries: so far.
    """

    event: str
    camera: str
    person: str
    due: float
    tries: int = 0


@dataclass(slots=True)
class _Order:
    """What is being fetched."""

    evidence: Evidence
    ended: asyncio.Future[ClipPiece]


class OwnRecordings:
    """The wishes and fetches under way, behind everything: no press ever waits for one.

    Args:
        stores: where events, evidence and clips are.
        settings: how long clips are.
        children: who is asked.
        clock: the gateway's.
        again: seconds between tries; after the last the reason is noted in place of the recording.
        settle: seconds behind the end of a clip after which its recording is asked for.
    """

    def __init__(
        self,
        stores: Stores,
        settings: EvidenceSettings,
        children: Children,
        clock: Clock,
        *,
        again: tuple[float, ...] = _AGAIN_SECONDS,
        settle: float = _SETTLE_SECONDS,
    ) -> None:
        self._stores = stores
        self._settings = settings
        self._children = children
        self._clock = clock
        self._again = again
        self._settle = settle
        self._wishes: list[_Wish] = []
        self._busy: set[str] = set()
        self._orders: dict[str, _Order] = {}
        self._refused: dict[str, float] = {}
        self._news = asyncio.Event()

    def note(self, piece: ClipPiece) -> None:
        """A piece of a clip of ours: if it is the last, and something is missing, the camera's recording is wished."""
        if piece.last and piece.cut_short:
            due = self._clock.monotonic() + self._settings.clip_after_seconds + self._settle
            self._wish(_Wish(piece.event, piece.camera, piece.person, due))

    def _wish(self, wish: _Wish) -> None:
        if not self._children.is_by_onvif(wish.camera):
            return
        counts = Counter(each.camera for each in self._wishes)
        if counts[wish.camera] >= _MOST_OF_CAMERA or counts.total() >= _MOST_WAITING:
            _log.warning("camera %s: too many clips have gaps: its own recording is not fetched", wish.camera)
            return
        self._wishes.append(wish)
        self._news.set()

    def take(self, piece: ClipPiece) -> None:
        """A piece of a camera's own recording; one that nobody waits for any more is dropped."""
        order = self._orders.get(piece.evidence)
        if order is None:
            return
        if piece.data or piece.number:
            self._stores.clips.put(part_of(order.evidence, piece))
        if piece.last and not order.ended.done():
            order.ended.set_result(piece)

    async def run(self) -> None:
        """Fetch for ever, some cameras at once and one part of each."""
        await self._resume()
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                for wish in self._ready():
                    group.create_task(self._try(wish), name=f"own recording of {wish.camera}")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._news.wait()

    async def _resume(self) -> None:
        """Wish for what an end of the gateway left: its own end is a gap like any other."""
        known = {(each.event, each.camera) for each in self._wishes}
        due = self._clock.monotonic() + self._settle
        for event, camera, person in await self._stores.evidence.gaps(self._clock.now() - _RESUMED):
            if (event, camera) not in known:
                self._wish(_Wish(event, camera, person, due))

    def _ready(self) -> Iterator[_Wish]:
        """Take the wishes that are due and whose camera is free."""
        now = self._clock.monotonic()
        for wish in sorted(self._wishes, key=lambda each: each.due):
            if wish.due > now or len(self._busy) >= _MOST_AT_ONCE:
                return
            if wish.camera not in self._busy:
                self._busy.add(wish.camera)
                self._wishes.remove(wish)
                yield wish

    def _pause(self) -> float | None:
        """Until something can be due; who ends makes news."""
        free = [each.due for each in self._wishes if each.camera not in self._busy]
        if not free or len(self._busy) >= _MOST_AT_ONCE:
            return None
        return max(0.0, min(free) - self._clock.monotonic())

    async def _try(self, wish: _Wish) -> None:
        try:
            reason = await self._reason(wish)
            if reason in _FINAL or (reason and wish.tries >= len(self._again)):
                await self._give_up(wish, reason)
            elif reason:
                due = self._clock.monotonic() + self._again[wish.tries]
                self._wishes.append(replace(wish, due=due, tries=wish.tries + 1))
        except StorageFailedError:
            raise
        except GatewayError as error:
            _log.error("camera %s: its own recording is not fetched: %s", wish.camera, error)
        finally:
            self._busy.discard(wish.camera)
            self._news.set()

    async def _reason(self, wish: _Wish) -> str:
        """Why it cannot be had now; empty if it was fetched, or nobody wants it any more."""
        if self._clock.monotonic() - self._refused.get(wish.camera, float("-inf")) < _REFUSED_SECONDS:
            return CREDENTIALS_WRONG
        try:
            found = await self._stores.journal.find(wish.event)
            if found is None:
                return ""
            replay = await self._children.own_recording(wish.camera)
            reason = replay.refusal or await self._fetch(wish, found.event.recorded or found.event.time, replay)
        except TransientError as error:
            _log.info("camera %s: its own recording waits: %s", wish.camera, error)
            return WORKER_AWAY
        if reason == CREDENTIALS_WRONG and not replay.refusal:
            self._refused[wish.camera] = self._clock.monotonic()
        return reason

    async def _fetch(self, wish: _Wish, moment: datetime, replay: RecordingReply) -> str:
        evidence = await self._evidence(wish, moment, ClipState(clock_offset_seconds=replay.clock_offset_seconds))
        before, after = self._settings.clip_before_seconds, self._settings.clip_after_seconds
        there = moment.timestamp() + replay.clock_offset_seconds
        order = FetchRecording(
            evidence=evidence.id,
            event=wish.event,
            camera=wish.camera,
            person=wish.person,
            url=replay.url,
            since=there - before,
            until=there + after,
        )
        ended: asyncio.Future[ClipPiece] = asyncio.get_running_loop().create_future()
        self._orders[evidence.id] = _Order(evidence, ended)
        try:
            if not self._children.fetch_recording(order):
                return WORKER_AWAY
            async with asyncio.timeout(_LONGEST_SECONDS + _SECONDS_PER_SECOND * (before + after)):
                last = await ended
        except TimeoutError:
            return UNREACHABLE
        finally:
            del self._orders[evidence.id]
        _log.info("camera %s: its own recording: %s", wish.camera, last.trouble or f"{last.seconds:g} s")
        return last.trouble

    async def _give_up(self, wish: _Wish, reason: str) -> None:
        """Note in the alarm's evidence why there is no recording."""
        found = await self._stores.journal.find(wish.event)
        if found is None:
            return
        about = ClipState(state=MISSING, others=False, reason=reason)
        evidence = await self._evidence(wish, found.event.recorded or found.event.time, about)
        await self._stores.clips.note_missing(evidence)

    async def _evidence(self, wish: _Wish, moment: datetime, clip: ClipState) -> Evidence:
        """Of the moment of the alarm; it goes when the other evidence of that goes."""
        others = await self._stores.evidence.of_event(wish.event)
        usual = self._clock.now() + timedelta(days=self._settings.unconfirmed_days)
        return Evidence(
            id=new_id(),
            event=wish.event,
            camera=wish.camera,
            person=wish.person,
            kind=CAMERA_CLIP,
            created=moment,
            purge_after=max((each.purge_after for each in others), default=usual),
            clip=clip,
        )
