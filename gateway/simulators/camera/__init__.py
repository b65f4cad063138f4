"""The simulated camera: ONVIF and RTSP, the real protocols, over a recording."""

from gateway.simulators.camera.acceptance import ITEMS, Item
from gateway.simulators.camera.camera import Ports, SimulatedCamera
from gateway.simulators.camera.command import main
from gateway.simulators.camera.sample import write_test_recording

__all__ = ["ITEMS", "Item", "Ports", "SimulatedCamera", "main", "write_test_recording"]
