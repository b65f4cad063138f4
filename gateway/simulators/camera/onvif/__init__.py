"""The simulated camera's ONVIF side: HTTP, SOAP, security, one file per service."""

from gateway.simulators.camera.onvif.device import Profile, SimulatedDevice
from gateway.simulators.camera.onvif.event_service import EventService
from gateway.simulators.camera.onvif.happenings import Happenings
from gateway.simulators.camera.onvif.http import HttpServer
from gateway.simulators.camera.onvif.pages import Inside, Pages
from gateway.simulators.camera.onvif.push import push_all
from gateway.simulators.camera.onvif.snapshot import SnapshotMaker
from gateway.simulators.camera.onvif.subscriptions import Subscriptions

__all__ = [
    "EventService",
    "Happenings",
    "HttpServer",
    "Inside",
    "Pages",
    "Profile",
    "SimulatedDevice",
    "SnapshotMaker",
    "Subscriptions",
    "push_all",
]
