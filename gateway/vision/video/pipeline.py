"""One camera from its stream to its reports, in a thread of its own."""

import logging
import threading
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.streams import (
    Backoff,
    Frame,
    LossReason,
    Sparing,
    StreamLive,
    StreamLost,
    StreamSource,
    VideoStream,
)
from gateway.vision.child import Outlet
from gateway.vision.faces import FaceTools
from gateway.vision.shared_list import SharedList
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.announcer import Announcer, to_jpeg
from gateway.vision.video.clips import ClipRecorder
from gateway.vision.video.figures import StreamFigures
from gateway.vision.video.health import PictureHealth
from gateway.vision.video.list_holder import ListHolder
from gateway.vision.video.looker import Looker
from gateway.vision.video.main_stream import MainStream
from gateway.vision.video.motion import WIDTH
from gateway.vision.video.passers import Match
from gateway.wire import CameraAssigned, CameraStatus, ChannelClosedError, Message, PassageStatistics
from gateway.wire import StreamLost as StreamLostMessage

_LOG = logging.getLogger(__name__)
_WAIT_SECONDS = 0.5
_REST_SECONDS = 1.0
_FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PipelineKit:
    """What all cameras of a child share."""

    tools: FaceTools
    lists: ListHolder
    thresholds: ThresholdBook
    vision: VisionSettings
    matching: MatchingSettings
    evidence: EvidenceSettings
    outlet: Outlet
    clock: Clock


class CameraPipeline:
    """Looks at the newest frame as often as the camera's budget allows; what it does not look at is skipped.

    Args:
        assigned: the camera.
        url: where its main stream is, without credentials.
        sub_url: where its sub-stream is, which is looked at then; empty if it has none.
        announcer: makes its events; outlives the pipeline, so that a loss is told once.
        kit: what all cameras share.
        refused_passwords: how often the camera refused this user lately: then the password is tried once, not thrice.
    """

    def __init__(
        self,
        assigned: CameraAssigned,
        url: str,
        sub_url: str,
        announcer: Announcer,
        kit: PipelineKit,
        refused_passwords: int = 0,
    ) -> None:
        self.camera = assigned.camera
        self.addresses = (url, sub_url)
        self._assigned = assigned
        self._announcer = announcer
        self._kit = kit
        self._looker = Looker(assigned.camera, kit.tools, kit.vision, kit.matching, kit.thresholds)
        strangers = self._looker.presence.strangers
        self.clips = ClipRecorder(assigned.camera, kit.vision, kit.evidence, kit.outlet, kit.clock, strangers)
        self._stream = VideoStream(
            _source(assigned, sub_url or url, kit.vision),
            clock=kit.clock,
            name=assigned.camera,
            ring=None if sub_url else self.clips.ring,
            sparing=Sparing(
                self._looker.moved,
                look_seconds=1 / assigned.looks_per_second,
                shortest_seconds=kit.vision.shortest_passage_seconds,
            ),
            backoff=Backoff(refused_passwords=refused_passwords),
        )
        main_backoff = Backoff(refused_passwords=refused_passwords)
        self._main = (
            MainStream(_source(assigned, url, kit.vision), kit.clock, assigned.camera, self.clips.ring, main_backoff)
            if sub_url
            else None
        )
        self._judging = threading.Lock()
        self._stopping = threading.Event()
        self._newest: Frame | None = None
        self._health = PictureHealth()
        self._due = 0.0
        self._figures = StreamFigures(assigned.camera, self._stream, kit.clock, self._main)
        self._thread = threading.Thread(target=self._run, name=f"{assigned.camera}-looker", daemon=True)

    def start(self) -> None:
        """Open the stream and begin to look."""
        self._stream.start()
        if self._main is not None:
            self._main.start()
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the look under way, not for a reader that hangs in the library."""
        self._stopping.set()
        self._thread.join(_WAIT_SECONDS + _REST_SECONDS)
        self.clips.stop()
        for stream in (self._stream, self._main):
            if stream is not None:
                threading.Thread(target=stream.stop, name=f"{self._assigned.camera}-stop", daemon=True).start()

    @property
    def refused_passwords(self) -> int:
        """How often the camera refused the password in a row."""
        return max(each.refused_passwords for each in (self._stream, self._main) if each is not None)

    @property
    def hangs(self) -> bool:
        """Whether a reader hangs in the library: it holds its camera, and only the end of the child frees it."""
        return self._stream.hangs or (self._main is not None and self._main.hangs)

    @property
    def ended(self) -> bool:
        """Whether the readers are over."""
        return self._stream.ended and (self._main is None or self._main.ended)

    def settle(self) -> None:
        """Return when no look is under way that began before the call."""
        with self._judging:
            pass

    def status(self) -> CameraStatus:
        """How the camera is, with figures since the last call."""
        status = self._figures.status(self._looker.times, self._looker.counts.total, self._looker.gate)
        return replace(status, certificate_days_left=self._announcer.certificate.days_left(self._kit.clock.now()))

    def take_statistics(self) -> PassageStatistics:
        """The counts of passages since the last call; to be taken before another list is compared with."""
        with self._judging:
            current, model = self._kit.lists.current, self._kit.tools.embedder.fingerprint
            return self._looker.counts.take(current.gallery.persons if current is not None else 0, model)

    def picture(self, width: int) -> bytes | None:
        """The newest frame as JPEG, at most `width` px wide; None if there is no fresh one."""
        frame = self._newest
        if frame is None or self._kit.clock.monotonic() - frame.received > _FRESH_SECONDS:
            return None
        return to_jpeg(frame.rgb(width))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except ChannelClosedError:
                return
            except Exception as error:  # one camera's fault must not take its siblings' pictures away
                self._failed(error)
                self._stopping.wait(_REST_SECONDS)

    def _failed(self, error: Exception) -> None:
        if self._figures.looks.note_failed(self._kit.clock.monotonic()):
            _LOG.error("camera %s: a look failed: %s", self._assigned.camera, error, exc_info=error)
        self._tell_of_looks()

    def _tell_of_looks(self) -> None:
        failing = self._figures.looks.news()
        if failing is not None:
            self._post(self._announcer.looks(failing=failing))

    def _step(self) -> None:
        """Take the next frame or loss, and rest until the next look is due."""
        found = self._stream.next(_WAIT_SECONDS)
        if self._main is not None and (main_lost := self._main.lost) is not None:
            self._post(self._announcer.main_stream(main_lost))
        if isinstance(found, StreamLost):
            self._lost(found)
        elif found is not None:
            self._live(found)
            if not found.backlog:
                self._rest_until_due()
        elif self._stream.ended:  # nothing will come, and nothing is waited for
            self._stopping.wait(_WAIT_SECONDS)

    def _rest_until_due(self) -> None:
        """Keep the pace of the camera's budget; a look that came late does not make the next ones later."""
        now, each = self._kit.clock.monotonic(), 1 / self._assigned.looks_per_second
        self._due = max(self._due + each, now - each)
        self._stopping.wait(max(0.0, self._due - now))

    def _lost(self, loss: StreamLost) -> None:
        with self._judging:
            current = self._kit.lists.current
            if current is not None:
                self._warn(self._looker.finish(current.gallery), current)
        if self._main is not None:  # which may show whoever passes meanwhile
            self._looker.presence.rested()
        self._want_main(pictures=False)
        if loss.reason is LossReason.ENDED and loss.retry_seconds is None:
            _LOG.info("camera %s: the recording is over", self._assigned.camera)
            return
        _LOG.warning("camera %s is lost: %s. %s", self._assigned.camera, loss.reason.value, loss.reason.remedy)
        self._post(self._announcer.lost(loss.reason.value))
        if self._assigned.url.startswith(("onvif:", "onvifs:")):
            self._post((StreamLostMessage(camera=self._assigned.camera, reason=loss.reason.value),))

    def _live(self, frame: Frame) -> None:
        self._newest = frame
        if isinstance(self._stream.state, StreamLive):  # not yet, if its clock stood still and stands on
            self._post(self._announcer.live())
        self._judge_picture(frame)
        with self._judging:
            current = self._kit.lists.current if self._assigned.watch_faces else None
            if current is not None:
                self._look(frame, current)
            else:
                self._looker.presence.rested()
                self._want_main(pictures=False)

    def _judge_picture(self, frame: Frame) -> None:
        """Whether a camera still shows what it should; a recording shows what it shows."""
        now = self._kit.clock.monotonic()
        if not self._assigned.url.startswith("file:") and self._health.is_due(now):
            self._post(self._announcer.health(self._health.judge(frame.luma(WIDTH), now)))
            self._post(self._announcer.shown(self._stream.certificate))

    def _look(self, frame: Frame, current: SharedList) -> None:
        main = self._main.near(frame) if self._main is not None else None
        self._warn(self._looker.look(frame, current.gallery, main), current)
        self._figures.looks.note_done()
        self._tell_of_looks()
        self._want_main(pictures=self._looker.wants_main)
        now = self._kit.clock.monotonic()
        self._figures.ages.note(now - frame.received, now)
        self._stream.spare(still=self._looker.is_still(frame.seconds), somebody=self._looker.wants_main)

    def _want_main(self, *, pictures: bool) -> None:
        if self._main is not None:
            self._main.want(pictures=pictures)

    def _warn(self, matches: tuple[Match, ...], current: SharedList) -> None:
        for match in matches:
            messages = self._announcer.matched(match, current, self._kit.tools.detector.name)
            self._post(messages)
            self._post(self.clips.follow(messages))
        self._post(self._announcer.gone(self._looker.take_departures()))

    def _post(self, messages: tuple[Message, ...]) -> None:
        if messages:
            self._kit.outlet.post(*messages)


def _source(assigned: CameraAssigned, url: str, vision: VisionSettings) -> StreamSource:
    return StreamSource(
        url=url,
        username=assigned.username,
        password=assigned.password,
        networks=assigned.networks,
        loop=assigned.loop,
        open_timeout_seconds=vision.open_timeout_seconds,
        read_timeout_seconds=vision.read_timeout_seconds,
    )
