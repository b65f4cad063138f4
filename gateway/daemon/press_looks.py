"""Has a camera look at the button that was pressed, behind the commit of the press, and back after a while."""

from collections.abc import Callable, Iterator

from gateway.events import ButtonPressed, Event, PressKind
from gateway.settings import CameraSettings, DeviceSettings
from gateway.storage import Journal
from gateway.wire import LookAt

_PAGE = 200


def looks_for(event: Event, device: DeviceSettings | None, home: Callable[[str], str]) -> Iterator[LookAt]:
    """Where cameras look for an event; a silent or duress press moves none: that would show at the place.

    Args:
        event: any event.
        device: the button that it is of, if it is of one.
        home: the preset that a camera goes back to; empty for none.
    """
    if isinstance(event, ButtonPressed) and event.kind is PressKind.PRESS and device is not None:
        for camera, preset in device.looks.items():
            yield LookAt(camera=camera, preset=preset, back=home(camera), seconds=device.look_seconds)


class PressLooks:
    """Follows the journal from now on.

    Args:
        journal: where presses are.
        device: a button by its id.
        camera: a camera by its id.
        tell: tells the camera's child without waiting.
    """

    def __init__(
        self,
        journal: Journal,
        device: Callable[[str], DeviceSettings | None],
        camera: Callable[[str], CameraSettings | None],
        tell: Callable[[LookAt], bool],
    ) -> None:
        self._journal = journal
        self._device = device
        self._camera = camera
        self._tell = tell
        self._position = journal.last_position

    async def run(self) -> None:
        """Follow for ever."""
        with self._journal.subscribe() as subscription:
            while True:
                await subscription.wait(self._position, None)
                for stored in await self._journal.read(self._position, _PAGE):
                    self._note(stored.event)
                    self._position = stored.position

    def _note(self, event: Event) -> None:
        device = self._device(event.device) if isinstance(event, ButtonPressed) else None
        for look in looks_for(event, device, self._home):
            self._tell(look)

    def _home(self, camera: str) -> str:
        found = self._camera(camera)
        return found.home_preset if found is not None else ""
