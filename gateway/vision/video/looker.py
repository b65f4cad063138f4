"""What is done with one picture of a camera: is anything there, where, whose face, and whom to warn of."""

from gateway.matching import FineView, Gallery
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame
from gateway.vision.faces import FaceTools
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.attention import Attention, in_picture, shrunk
from gateway.vision.video.dusk import gain_of, lightened
from gateway.vision.video.motion import WIDTH, GateCounts
from gateway.vision.video.passers import Departure, Match, Passers, StageTimes
from gateway.vision.video.presence import Presence
from gateway.vision.video.statistics import PassageCounts

# Of a smaller face (px) nothing is decided. It is searched for in a picture in which the detector just finds it, and
# found again in the full picture before it is compared.
_LEAST_HEIGHT = 32.0
# How far the proportions of main and sub stream may differ; some cameras squeeze the latter.
_SAME_SHAPE = 0.03


class Looker:
    """One camera's, without its stream and its threads: the caller brings pictures in the order of their time.

    Args:
        camera: its id.
        tools: detector, aligner and embedder.
        vision: how to look.
        matching: when a face is like somebody.
        thresholds: what its camera compares with.
    """

    def __init__(
        self,
        camera: str,
        tools: FaceTools,
        vision: VisionSettings,
        matching: MatchingSettings,
        thresholds: ThresholdBook | None = None,
    ) -> None:
        self._attention = Attention(vision.still_seconds)
        self._passers = Passers(camera, tools, matching, thresholds)
        self._widest = vision.detector_width
        self._shrinkage = min(1.0, tools.detector.least_height / _LEAST_HEIGHT)

    def look(self, frame: Frame, gallery: Gallery, main: Frame | None = None) -> tuple[Match, ...]:
        """Whom to warn of now.

        Args:
            frame: of the stream that is looked at.
            gallery: the watch-list.
            main: of the camera's main stream at about the same moment, if another is looked at: faces are cut from it.
        """
        matches = self._look(frame, gallery, main)
        self._passers.presence.looked(frame.received)  # behind it: a look that fails has seen nobody
        return matches

    def _look(self, frame: Frame, gallery: Gallery, main: Frame | None) -> tuple[Match, ...]:
        plane = frame.luma(WIDTH)
        faces, sought = self._passers.boxes, self._passers.sought
        regions = self._attention.regions(frame.seconds, plane, faces, frame.width, sought=sought)
        if not regions:
            return ()
        gain = gain_of(plane)
        full = lightened(frame.rgb(), gain)
        small = shrunk(full, self._searched_width(main.width if main is not None else frame.width))
        faces = self._passers.detect(small, in_picture(regions, plane, small))
        scale = frame.width / small.shape[1]
        placed = [face.scaled(scale) for face in faces]
        fine = _fine(frame, main, gain) if placed and main is not None else None
        return self._passers.follow(
            frame.seconds, full, placed, gallery, small=small, fine=fine, received=frame.received, dusk=gain > 1
        )

    def _searched_width(self, width: int) -> int:
        return min(self._widest, round(width * self._shrinkage))

    @property
    def wants_main(self) -> bool:
        """Whether somebody is followed, so that the main stream's pictures are of use."""
        return bool(self._passers.boxes)

    def finish(self, gallery: Gallery) -> tuple[Match, ...]:
        """The stream ended or changed: whom to warn of still."""
        return self._passers.finish(gallery)

    def is_still(self, seconds: float) -> bool:
        """Whether at that stream time the scene has been still for long enough to decode keyframes only."""
        return self._attention.is_still(seconds)

    def moved(self, frame: Frame) -> bool:
        """Whether a picture differs from the still scene; may be asked from another thread."""
        return self._attention.gate.moved(frame.luma(WIDTH))

    @property
    def gate(self) -> GateCounts:
        """How often the motion gate was asked and opened."""
        return self._attention.gate.counts

    def take_departures(self) -> tuple[Departure, ...]:
        """Who of those that were warned of has gone since the last call."""
        return self._passers.take_departures()

    @property
    def presence(self) -> Presence:
        """Who was there lately, for clips."""
        return self._passers.presence

    @property
    def counts(self) -> PassageCounts:
        """The passages so far."""
        return self._passers.counts

    @property
    def times(self) -> StageTimes:
        """What looks cost lately."""
        return self._passers.times


def _fine(frame: Frame, main: Frame, gain: float) -> FineView | None:
    """The main stream's picture to cut from, unless it is no larger or shows another part of the scene."""
    factor = main.width / frame.width
    alike = abs(main.height / frame.height / factor - 1) <= _SAME_SHAPE
    return FineView(lightened(main.rgb(), gain), factor) if factor > 1 and alike else None
