"""The *video* child: camera streams to warnings about faces; what matches nobody leaves no trace."""

from gateway.vision.video.pipeline import CameraPipeline
from gateway.vision.video.role import VideoRole

__all__ = ["CameraPipeline", "VideoRole"]
