"""Cameras over ONVIF: what they are, where their streams are, how they fare. Loads no decoder."""

from gateway.cameras.addresses import OnvifAddress, parse_onvif_url, rehost, with_credentials, without_credentials
from gateway.cameras.camera import Login, OnvifCamera, OnvifLibrary
from gateway.cameras.choice import main_and_sub
from gateway.cameras.description import CameraDescription, MediaProfile
from gateway.cameras.discovery import Announcement, AnnouncementListener, FoundCamera, Search
from gateway.cameras.eventing import (
    CameraEvents,
    EventFeed,
    FeedEnds,
    Finding,
    FindingBook,
    Kind,
    Notice,
    PushReceiver,
)
from gateway.cameras.http import Timeouts
from gateway.cameras.jpeg_size import jpeg_size
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.movement import Preset
from gateway.cameras.recordings import OwnRecording
from gateway.cameras.replay import ReplayedPicture, ReplaySession
from gateway.cameras.rtsp import RtspDigest
from gateway.cameras.states import CameraError, CameraState, CameraUnavailable, CameraUnusable
from gateway.cameras.tracked import Trust

__all__ = [
    "Announcement",
    "AnnouncementListener",
    "CameraDescription",
    "CameraError",
    "CameraEvents",
    "CameraState",
    "CameraUnavailable",
    "CameraUnusable",
    "EventFeed",
    "FeedEnds",
    "Finding",
    "FindingBook",
    "FoundCamera",
    "Kind",
    "Login",
    "MediaProfile",
    "Notice",
    "OnvifAddress",
    "OnvifCamera",
    "OnvifLibrary",
    "OwnRecording",
    "PasswordGuard",
    "Preset",
    "PushReceiver",
    "ReplaySession",
    "ReplayedPicture",
    "RtspDigest",
    "Search",
    "Timeouts",
    "Trust",
    "jpeg_size",
    "main_and_sub",
    "parse_onvif_url",
    "rehost",
    "with_credentials",
    "without_credentials",
]
