"""Brings packets into Annex B form, whatever the container kept them in."""

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream as AvVideoStream

_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


class AnnexB:
    """The filter for one stream: converts packets of MP4, leaves those of RTSP as they are."""

    def __init__(self, stream: AvVideoStream) -> None:
        extradata = stream.codec_context.extradata or b""
        prefixed = extradata[:1] == b"\x01"
        name = _FILTERS.get(stream.codec_context.name, "") if prefixed else ""
        self._filter = BitStreamFilterContext(name, stream) if name else None
        self.parameter_sets: bytes = b"" if prefixed else bytes(extradata)

    def convert(self, packet: "av.Packet[AvVideoStream]") -> bytes:
        """The packet's data; the packet may be empty afterwards."""
        if self._filter is None:
            return bytes(packet)
        return b"".join(bytes(made) for made in self._filter.filter(packet))
