"""What the simulated camera has recorded itself (ONVIF Profile G): its file, turn after turn, on the wall clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.simulators.camera.playback import Picture
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.recording import Recording
from gateway.simulators.camera.rtp import CLOCK_RATE, payloads

RECORDING = "recording-1"
REPLAY_PATH = f"/replay/{RECORDING}"
_HOURS = 24.0


@dataclass(slots=True)
class Archive:
    """One recording; a turn of the file began at the epoch of Unix, so that each moment has its picture.

    Attributes:
        looks: how often somebody asked how far it reaches.
    """

    quirks: Quirks
    now: Callable[[], datetime]
    looks: int = field(default=0)

    @property
    def exists(self) -> bool:
        """Whether the camera has the services of Profile G."""
        return any(name in self.quirks for name in ("own-recording", "recording-stopped", "recording-shrinks"))

    @property
    def goes_on(self) -> bool:
        """Whether it is recorded still."""
        return "recording-stopped" not in self.quirks

    @property
    def ends(self) -> datetime:
        """Its newest moment, aware, by the camera's clock."""
        return self.now() - timedelta(minutes=self.quirks.value("recording-stopped") or 0.0)

    @property
    def begins(self) -> datetime:
        """Its oldest moment."""
        hours, turning = self.quirks.value("own-recording") or _HOURS, self.quirks.value("recording-shrinks")
        return self.now() - timedelta(hours=hours / 2 if turning is not None and self.looks > turning else hours)

    def pictures(self, recording: Recording, since: datetime, until: datetime) -> Iterator[tuple[datetime, Picture]]:
        """The pictures from the keyframe at or before a moment up to another one, each with when it was taken."""
        number = recording.keyframe_before(recording.number_at(since.timestamp()))
        while recording.due(number) <= until.timestamp():
            unit, shown = recording.unit(number), recording.shown(number)
            stamp = round(shown * CLOCK_RATE)
            picture = Picture(payloads(unit.nals, recording.syntax), stamp, shown, unit.keyframe)
            yield datetime.fromtimestamp(shown, UTC), picture
            number += 1
