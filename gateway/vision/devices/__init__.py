"""The *devices* child: asks ONVIF cameras what they are and where they stream; loads no decoder."""

from gateway.vision.devices.role import DevicesRole
from gateway.vision.devices.watch import DeviceWatch

__all__ = ["DeviceWatch", "DevicesRole"]
