"""What the tests of the devices child share: a camera's entry, what it says of itself, and an outlet that keeps."""

from dataclasses import dataclass, field

from gateway.cameras import CameraDescription
from gateway.events import CameraFault, decode
from gateway.wire import CameraAssigned, Message, Report

DESCRIBED = CameraDescription(
    manufacturer="M",
    model="X",
    firmware="1",
    serial="2",
    profiles=(),
    stream="rtsp://127.0.0.1/1",
    sub_stream=None,
    snapshot=None,
    clock_offset_seconds=0.0,
)
ASSIGNED = CameraAssigned(
    camera="cam-01", name="", place="", url="onvif://127.0.0.1", watch_faces=False, loop=False, looks_per_second=5
)


@dataclass
class Outbox:
    """Keeps what is sent to the parent."""

    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """As `Outlet.send`."""
        self.sent.append(message)

    def faults(self) -> list[str]:
        """States of the faults that were reported."""
        events = [decode(each.event) for each in self.sent if isinstance(each, Report)]
        return [each.state for each in events if isinstance(each, CameraFault)]

    def of(self, kind: type[Message]) -> list[Message]:
        """All messages of a kind."""
        return [each for each in self.sent if isinstance(each, kind)]
