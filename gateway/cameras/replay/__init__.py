"""A camera's own recording, read over RTSP (ONVIF Streaming Specification §6)."""

from gateway.cameras.replay.pictures import PictureAssembler, ReplayedPicture
from gateway.cameras.replay.sdp import VideoTrack, video_track
from gateway.cameras.replay.session import ReplaySession

__all__ = ["PictureAssembler", "ReplaySession", "ReplayedPicture", "VideoTrack", "video_track"]
