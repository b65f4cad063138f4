"""Notices a reader that hangs in the library: its timeouts did not fire, and no other thread can end it."""

from gateway.clock import Clock
from gateway.streams.source import StreamSource

# Behind its timeouts a reader gets this long before its stream is called lost, and as long again before it hangs.
GRACE_SECONDS = 2.0
# The library looks a name up without any timeout; a resolver whose servers are away gives up by itself.
_NAMES_SECONDS = 60.0


class Watchdog:
    """Of one reader, which says what it begins; anybody may ask whether it came back.

    A recording is not watched: it waits for its own pace.

    Args:
        source: its timeouts say how long the library may take.
        clock: the gateway's.
    """

    def __init__(self, source: StreamSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._due: float | None = None

    def opening(self) -> None:
        """The library opens the source."""
        self._within(self._source.open_timeout_seconds + self._source.read_timeout_seconds + _NAMES_SECONDS)

    def reading(self) -> None:
        """The library waits for the next packet, or closes the source."""
        self._within(2 * (self._source.read_timeout_seconds + GRACE_SECONDS))

    def outside(self) -> None:
        """The reader is its own again."""
        self._due = None

    @property
    def hangs(self) -> bool:
        """Whether the reader is long overdue: only the end of the process frees it."""
        due = self._due
        return due is not None and self._clock.monotonic() > due

    def _within(self, seconds: float) -> None:
        self._due = None if self._source.is_recording else self._clock.monotonic() + seconds
