"""Has a clip recorded by each camera that is linked to a button, behind the commit of its press."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.events import ButtonPressed, Event, new_id
from gateway.settings import EvidenceSettings
from gateway.storage import Journal
from gateway.wire import ClipRequest

_PAGE = 200
_AGAIN_SECONDS = 0.5
_MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class _Wish:
    """A clip that no child could be asked for yet."""

    evidence: str
    event: str
    camera: str
    since: float


class PressClips:
    """Follows the journal; a child that is away is asked again as long as the clip would last, then that is told.

    Args:
        journal: where presses are; those before now are over.
        settings: how long clips are.
        linked: the cameras of a device.
        record: asks a camera's child without waiting; whether it could be asked.
        give_up: is told of a clip that nobody could be asked for.
        clock: the gateway's.
    """

    def __init__(
        self,
        journal: Journal,
        settings: EvidenceSettings,
        linked: Callable[[str], Iterable[str]],
        record: Callable[[ClipRequest], bool],
        give_up: Callable[[ClipRequest], None],
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._linked = linked
        self._record = record
        self._give_up = give_up
        self._clock = clock
        self._position = journal.last_position
        self._wishes: deque[_Wish] = deque(maxlen=_MOST_WAITING)

    async def run(self) -> None:
        """Follow for ever."""
        with self._journal.subscribe() as subscription:
            while True:
                await subscription.wait(self._position, _AGAIN_SECONDS if self._wishes else None)
                for stored in await self._journal.read(self._position, _PAGE):
                    self._note(stored.event)
                    self._position = stored.position
                self._ask()

    def _note(self, event: Event) -> None:
        if isinstance(event, ButtonPressed) and self._settings.clips:
            now = self._clock.monotonic()
            self._wishes.extend(_Wish(new_id(), event.id, camera, now) for camera in self._linked(event.device))

    def _ask(self) -> None:
        """Ask for all that wait; what nobody could be asked for waits on, until its time is over."""
        now = self._clock.monotonic()
        for _ in range(len(self._wishes)):
            wish = self._wishes.popleft()
            ago = now - wish.since
            request = ClipRequest(evidence=wish.evidence, event=wish.event, camera=wish.camera, ago_seconds=ago)
            if self._record(request):
                continue
            if ago < self._settings.clip_after_seconds:
                self._wishes.append(wish)
            else:
                self._give_up(request)
