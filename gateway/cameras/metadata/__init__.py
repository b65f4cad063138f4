"""A camera's events out of its RTSP metadata track, for cameras that neither are pulled nor push."""

from gateway.cameras.metadata.profile import MetadataMedia
from gateway.cameras.metadata.session import MetadataSession
from gateway.cameras.metadata.stream import MetadataStream, MetadataWay

__all__ = ["MetadataMedia", "MetadataSession", "MetadataStream", "MetadataWay"]
