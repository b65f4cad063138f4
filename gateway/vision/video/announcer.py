"""Puts what happens at one camera into messages for the parent: a loss once, its return once, a match with its crop."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.clock import Clock
from gateway.events import (
    CameraEvent,
    CameraFault,
    CameraLost,
    CameraRestored,
    CameraTampered,
    FaceMatched,
    Severity,
    camera_source,
    encode,
    new_id,
)
from gateway.matching import Shot
from gateway.streams import LossReason
from gateway.vision.certificates import CertificateWatch
from gateway.vision.shared_list import SharedList
from gateway.vision.video.health import Ailment, Verdict
from gateway.vision.video.passers import Departure, Match
from gateway.wire import CameraAssigned, EvidencePicture, Message, PassageOver, Report

# Around the face, in its heights: enough to know a person by, too little to hold the next one's face.
_RIM = 0.35
_JPEG_QUALITY = 90
_MOST_OPEN = 64
_MAIN_REMEDY = "Meanwhile there are no clips, and faces are cut from the sub-stream: check the camera's main stream."
_LOOKS_REMEDY = "Nobody is compared at this camera: the gateway's log says what failed; another face network may help."
_MAIN_CLOCK_REMEDY = "Clips go on with the times at which pictures came: restart the camera or update its firmware."
_FROZEN_REMEDY = "The stream goes on with one and the same picture: restart the camera or its encoder."


class Announcer:
    """The events of one camera.

    Args:
        assigned: the camera as the parent gave it.
        site: for the source of events.
        clock: for their time.
        cooldown_seconds: a person who was warned of is not warned of again within it.

    Attributes:
        certificate: when that of the stream's server ends.
    """

    def __init__(self, assigned: CameraAssigned, site: str, clock: Clock, cooldown_seconds: float = 0.0) -> None:
        self._assigned = assigned
        self._source = camera_source(site, assigned.camera)
        self._clock = clock
        self._lost_since: datetime | None = None
        self._main_lost = False
        self.certificate = CertificateWatch(assigned, site)
        self._cooldown = cooldown_seconds
        now = clock.monotonic()
        self._warned = {each.person: now - each.seconds_ago for each in assigned.warned}
        self._matches: dict[str, list[str]] = {}

    def lost(self, reason: str) -> tuple[Message, ...]:
        """There is no picture; nothing if that was said already."""
        if self._lost_since is not None:
            return ()
        common = self._common()
        self._lost_since = common["time"]
        event = CameraLost(**common, severity=Severity.HIGH, reason=reason)
        return (Report(event=encode(event)),)

    def main_stream(self, lost: str) -> tuple[Message, ...]:
        """How the main stream is, where another one is looked at: the reason of its loss, or empty; news only."""
        if bool(lost) is self._main_lost:
            return ()
        self._main_lost = bool(lost)
        severity = Severity.MEDIUM if lost else Severity.INFO
        remedy = _MAIN_CLOCK_REMEDY if lost == LossReason.CLOCK_STUCK else _MAIN_REMEDY
        state, remedy = ("main_stream_lost", remedy) if lost else ("main_stream_ok", "")
        event = CameraFault(**self._common(), severity=severity, state=state, remedy=remedy, detail=lost)
        return (Report(event=encode(event)),)

    def looks(self, *, failing: bool) -> tuple[Message, ...]:
        """Look after look fails, or one is done again."""
        severity = Severity.HIGH if failing else Severity.INFO
        state, remedy = ("looks_fail", _LOOKS_REMEDY) if failing else ("looks_ok", "")
        return (Report(event=encode(CameraFault(**self._common(), severity=severity, state=state, remedy=remedy))),)

    def _common(self) -> dict[str, Any]:
        return {
            "id": new_id(),
            "source": self._source,
            "subject": self._assigned.camera,
            "time": self._clock.now(),
            "camera": self._assigned.camera,
            "name": self._assigned.name,
            "place": self._assigned.place,
        }

    def health(self, verdicts: Iterable[Verdict]) -> tuple[Message, ...]:
        """What began or ended to be wrong with the picture."""
        return tuple(Report(event=encode(self._ailment(each))) for each in verdicts)

    def shown(self, certificate: bytes) -> tuple[Message, ...]:
        """The news about the certificate that the stream's server shows, in DER."""
        event = self.certificate.judge(certificate, self._clock.now())
        return () if event is None else (Report(event=encode(event)),)

    def _ailment(self, verdict: Verdict) -> CameraEvent:
        """A picture that stands still is a fault; everything else may be somebody's doing."""
        common = self._common()
        if verdict.ailment is Ailment.FROZEN:
            severity = Severity.MEDIUM if verdict.active else Severity.INFO
            state, remedy = ("frozen", _FROZEN_REMEDY) if verdict.active else ("frozen_over", "")
            return CameraFault(**common, severity=severity, state=state, remedy=remedy)
        severity = Severity.HIGH if verdict.active else Severity.INFO
        detector = f"picture {verdict.ailment.value}"
        return CameraTampered(**common, severity=severity, active=verdict.active, detector=detector)

    def live(self) -> tuple[Message, ...]:
        """There is a picture; nothing if none was missed."""
        if self._lost_since is None:
            return ()
        common, since = self._common(), self._lost_since
        self._lost_since = None
        event = CameraRestored(**common, outage=max(0.0, (common["time"] - since).total_seconds()))
        return (Report(event=encode(event)),)

    def matched(self, match: Match, shared: SharedList, detector: str) -> tuple[Message, ...]:
        """A face is like somebody of the list: the event, and behind it the crop of the best view.

        Nothing if the same person was warned of a moment ago.
        """
        decision = match.decision
        person = decision.person or ""
        if self._is_cooling(person):
            return ()
        event = FaceMatched(
            **self._common(),
            severity=Severity.HIGH,
            person=person,
            category=shared.category_of(person),
            distance=round(decision.distance or 0.0, 4),
            threshold=round(decision.threshold, 4),
            margin=None if decision.margin == float("inf") else round(decision.margin, 4),
            looks=decision.looks,
            face_height=round(match.shot.quality.height_px),
            quality=round(decision.quality, 3),
            model=decision.model,
            detector=detector,
            passage=match.passage,
            list_revision=shared.gallery.revision,
            score=round(decision.score, 4),
            median_distance=_rounded(decision.median_distance),
            look_distance=_rounded(decision.look_distance),
            face_size=decision.size,
            people=shared.gallery.persons,
            false_warnings_per_day=_rounded(match.warnings_per_day),
            threshold_basis=match.basis,
        )
        picture = EvidencePicture(
            evidence=new_id(),
            event=event.id,
            camera=self._assigned.camera,
            person=person,
            kind="crop",
            jpeg=to_jpeg(face_crop(match.shot)),
        )
        self._matches.setdefault(match.passage, []).append(event.id)
        if len(self._matches) > _MOST_OPEN:  # those of a stream that was given up have no end
            del self._matches[next(iter(self._matches))]
        return Report(event=encode(event)), picture

    def _is_cooling(self, person: str) -> bool:
        """Whether a warning of this person is not due yet; notes it if it is."""
        now = self._clock.monotonic()
        self._warned = {each: at for each, at in self._warned.items() if now - at < self._cooldown}
        cooling = person in self._warned
        self._warned.setdefault(person, now)
        return cooling

    def gone(self, departures: Sequence[Departure]) -> tuple[Message, ...]:
        """Who was warned of has gone: when they were seen, for their matches; nothing where there was no match."""
        now = self._clock.monotonic()
        told = [(each, tuple(self._matches.pop(each.passage, ()))) for each in departures]
        return tuple(
            PassageOver(
                camera=self._assigned.camera,
                events=events,
                first_ago_seconds=round(now - departure.first, 3),
                last_ago_seconds=round(now - departure.last, 3),
            )
            for departure, events in told
            if events
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def face_crop(shot: Shot) -> NDArray[np.uint8]:
    """The face with a narrow rim (h, w, 3), cut out of a view."""
    face, rim = shot.face, _RIM * shot.face.height
    top, left = max(0, round(face.y - rim)), max(0, round(face.x - rim))
    bottom, right = round(face.y + face.height + rim), round(face.x + face.width + rim)
    return shot.crop[top:bottom, left:right]


def to_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """An RGB picture (h, w, 3) as JPEG."""
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    return encoded.tobytes() if done else b""
