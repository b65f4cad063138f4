"""Cameras over ONVIF: what they are, where their streams are, how they fare. Loads no decoder."""

from gateway.cameras.addresses import OnvifAddress, parse_onvif_url, rehost, with_credentials, without_credentials
from gateway.cameras.camera import Login, OnvifCamera, OnvifLibrary
from gateway.cameras.description import CameraDescription, MediaProfile
from gateway.cameras.http import Timeouts
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.states import CameraError, CameraState, CameraUnavailable, CameraUnusable

__all__ = [
    "CameraDescription",
    "CameraError",
    "CameraState",
    "CameraUnavailable",
    "CameraUnusable",
    "Login",
    "MediaProfile",
    "OnvifAddress",
    "OnvifCamera",
    "OnvifLibrary",
    "PasswordGuard",
    "Timeouts",
    "parse_onvif_url",
    "rehost",
    "with_credentials",
    "without_credentials",
]
