"""RTSP or a recording to the newest frame, the ring of packets, and clips."""

from gateway.streams.backoff import Backoff
from gateway.streams.board import StreamCounters
from gateway.streams.clips import ClipFollower, ClipFragment
from gateway.streams.fragments import TIMESCALE, FragmentWriter
from gateway.streams.frame import Frame
from gateway.streams.latch import LatchSwitch
from gateway.streams.remux import Clip, StreamFormat
from gateway.streams.ring import PacketRing, RingPacket, RingSlice
from gateway.streams.source import StreamSource
from gateway.streams.sparing import Sparing
from gateway.streams.states import (
    LossReason,
    StreamConnecting,
    StreamLive,
    StreamLost,
    StreamState,
    StreamStopped,
)
from gateway.streams.stream import VideoStream

__all__ = [
    "TIMESCALE",
    "Backoff",
    "Clip",
    "ClipFollower",
    "ClipFragment",
    "FragmentWriter",
    "Frame",
    "LatchSwitch",
    "LossReason",
    "PacketRing",
    "RingPacket",
    "RingSlice",
    "Sparing",
    "StreamConnecting",
    "StreamCounters",
    "StreamFormat",
    "StreamLive",
    "StreamLost",
    "StreamSource",
    "StreamState",
    "StreamStopped",
    "VideoStream",
]
