"""Finds the metadata track in a stream's description (RFC 4566, ONVIF Streaming §5.1.2.1.1)."""

from dataclasses import dataclass
from itertools import islice

_ENCODING = "vnd.onvif.metadata"
_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class MetadataTrack:
    """A track of metadata.

    Attributes:
        encoding: in lower case; behind ``vnd.onvif.metadata`` stands how it is compressed, as ``.gzip``.
        control: its address as the camera writes it, perhaps relative, perhaps empty.
    """

    encoding: str
    control: str

    @property
    def is_plain(self) -> bool:
        """Whether it is XML that is not compressed."""
        return self.encoding == _ENCODING


def metadata_tracks(described: bytes) -> list[MetadataTrack]:
    """The metadata tracks, those of plain XML first."""
    found, encoding, control, within = [], "", "", False
    lines = described.decode("utf-8", "replace").splitlines()
    for line in (*islice(lines, _MOST_LINES), "m="):
        text = line.strip()
        if text.startswith("m="):
            if within and encoding.startswith(_ENCODING):
                found.append(MetadataTrack(encoding, control))
            encoding, control, within = "", "", text.startswith("m=application")
        elif text.startswith("a=rtpmap:"):
            encoding = encoding or text.partition(" ")[2].strip().partition("/")[0].lower()
        elif text.startswith("a=control:"):
            control = text.partition(":")[2].strip()
    return sorted(found, key=lambda track: not track.is_plain)
