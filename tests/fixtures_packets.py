"""Packets of the small recordings as cameras send them, and what of them can be seen in a clip."""

import io
from dataclasses import replace
from pathlib import Path

import av

from gateway.streams import RingPacket, StreamFormat
from gateway.streams.annexb import AnnexB


def packets_of(recording: Path) -> tuple[StreamFormat, list[RingPacket]]:
    """The packets as an RTSP camera sends them: Annex B, parameter sets apart."""
    with av.open(str(recording)) as container:
        stream = container.streams.video[0]
        annexb = AnnexB(stream)
        assert stream.time_base is not None
        stream_format = StreamFormat(
            stream.codec_context.name, stream.width, stream.height, stream.time_base, annexb.parameter_sets
        )
        packets: list[RingPacket] = []
        for packet in container.demux(stream):
            if packet.size:
                pts, key = packet.pts, packet.is_keyframe
                packets.append(RingPacket(annexb.convert(packet), pts, key, len(packets) / 25))
    return stream_format, packets


def pictures_in(mp4: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(mp4), "r") as container:
        return list(container.decode(video=0))


def bar(picture: av.VideoFrame) -> int:
    """Where the moving bar begins, which is the picture's number."""
    row = picture.to_ndarray(format="rgb24")[50, :, 0]
    return int((row > 150).argmax())


def first_without_time(packets: list[RingPacket]) -> list[RingPacket]:
    return [replace(packets[0], pts=None), *packets[1:]]


def unchanged(packets: list[RingPacket]) -> list[RingPacket]:
    return packets


def slices_apart(packets: list[RingPacket]) -> list[RingPacket]:
    """Each slice in a packet of its own with the picture's time, parameter sets in front of the first."""
    parted = []
    for packet in packets:
        units = packet.data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
        slices = [b"\0\0\0\1" + unit for unit in units]
        heads = [unit for unit in slices if unit[4] & 31 not in {1, 5}]
        bodies = [unit for unit in slices if unit[4] & 31 in {1, 5}]
        parted += [replace(packet, data=b"".join(heads) + bodies[0])]
        parted += [replace(packet, data=body) for body in bodies[1:]]
    return parted
