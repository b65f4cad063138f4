"""The simulated camera's ONVIF side: HTTP, SOAP, security, one file per service."""

from gateway.simulators.camera.onvif.device import Profile, SimulatedDevice
from gateway.simulators.camera.onvif.http import HttpServer
from gateway.simulators.camera.onvif.pages import Pages
from gateway.simulators.camera.onvif.snapshot import SnapshotMaker

__all__ = ["HttpServer", "Pages", "Profile", "SimulatedDevice", "SnapshotMaker"]
