"""Makes fragmented MP4 piece by piece: a header once, then fragments that play as soon as they are there.

The boxes are those of ISO/IEC 14496-12:2015: ftyp, moov, and for each fragment moof (§8.8.4) and mdat.
"""

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av

from gateway.errors import PermanentError
from gateway.streams.beginning import Beginning
from gateway.streams.codecs import as_hvc1, codecs_of
from gateway.streams.nal import parameter_sets_in, with_lengths, with_parameter_sets
from gateway.streams.remux import CLIP_CODECS, ClipPacket, StreamFormat, add_track, filled_times

# Ticks per second of every clip, whatever the stream's are.
TIMESCALE = 90_000
_STEP = TIMESCALE // 25
# More than any codec reorders: pictures are not held back for a clock that went back.
_LONGEST_REORDER, _LONGEST_DELAY = 32, 2 * TIMESCALE
_HEADER_ONLY = {"movflags": "empty_moov+default_base_moof"}
_TFHD_BASE_IS_MOOF = 0x020000
_TFDT_64_BIT = 0x01000000
_TRUN_OFFSET_DURATION_SIZE_FLAGS_CTS = 0x000F01
_SYNC, _NOT_SYNC = 0x02000000, 0x01010000


@dataclass(frozen=True, slots=True)
class _Sample:
    data: bytes
    pts: int
    dts: int
    keyframe: bool


class FragmentWriter:
    """One clip's: takes packets in decoding order, the first a keyframe, and gives fragments of what is complete.

    Decoding times are the sorted presentation times, moved back by as much as pictures are reordered. So only
    pictures up to the newest that is shown last can be written; that one waits for its successor. Parameter sets that
    the header has are left out of the pictures, as ``hvc1`` wants it (ISO/IEC 14496-15 §8.3.1); others stay in them.

    Args:
        stream_format: of all packets.

    Attributes:
        ends: what it lasts up to here, in ticks.
        codecs: what a browser must know to play it (`codecs_of`), once there was a fragment.

    Raises:
        PermanentError: another codec than H.264 or H.265.
    """

    def __init__(self, stream_format: StreamFormat) -> None:
        if stream_format.codec not in CLIP_CODECS:
            raise PermanentError(
                f"clips of {stream_format.codec} cannot be made", remedy="Set the camera to H.264 or H.265"
            )
        self._format = stream_format
        self._waiting: list[ClipPacket] = []
        self._last_known: int | None = None
        self._highest: int | None = None
        self._delay, self._zero, self._due, self._number = 0, 0, -1, 0
        self._beginning = Beginning(stream_format.codec)
        self._sets: frozenset[bytes] = frozenset()
        self.ends = 0
        self.codecs = ""

    @property
    def waiting(self) -> int:
        """How many packets are in no fragment yet."""
        return len(self._waiting)

    @property
    def begun(self) -> bool:
        """Whether there was a fragment."""
        return self._number > 0

    def add(self, packets: Iterable[ClipPacket]) -> None:
        """Take packets for the next fragments; what cannot be decoded from the first keyframe on is dropped."""
        takes = self._beginning.takes
        self._waiting.extend(packet for packet in packets if takes(packet.data, keyframe=packet.keyframe))

    def cut(self, *, last: bool = False) -> bytes:
        """What is complete as boxes, the header before the first fragment; empty if nothing is.

        Args:
            last: no packet will come any more: all that wait are complete.
        """
        known = self._ticks()
        complete = len(known) if last else self._complete(known)
        if not complete:
            return b""
        batch, self._waiting = self._waiting[:complete], self._waiting[complete:]
        header = b"" if self.begun else self._header(batch[0])
        samples = self._samples(batch, known[:complete])
        rest = known[complete:]
        follows = rest[0] - self._delay - self._zero if rest and not self._delay else None
        self._number += 1
        return header + _fragment(self._number, samples, self._durations(samples, follows))

    def _header(self, keyframe: ClipPacket) -> bytes:
        made = header_of(self._format, keyframe)
        self.codecs = codecs_of(made)
        data = with_parameter_sets(keyframe.data, self._format.codec, self._format.parameter_sets)
        self._sets = frozenset(parameter_sets_in(data, self._format.codec))
        return made

    def _ticks(self) -> list[int]:
        """Times of those that wait, in ticks of the clip."""
        scale = self._format.time_base * TIMESCALE
        given = [None if packet.pts is None else round(packet.pts * scale) for packet in self._waiting]
        if self._last_known is None:
            return filled_times(given, _STEP)
        return filled_times([self._last_known, *given], _STEP)[1:]

    def _complete(self, known: Sequence[int]) -> int:
        """How many come before the newest that is shown after all others: what follows is shown after them."""
        highest, complete = self._highest, 0
        for index, pts in enumerate(known):
            if highest is None or pts > highest:
                highest, complete = pts, index
        return len(known) if len(known) - complete > _LONGEST_REORDER else complete

    def _samples(self, batch: Sequence[ClipPacket], known: Sequence[int]) -> list[_Sample]:
        order = sorted(range(len(known)), key=lambda index: (known[index], index))
        dues: list[int] = []
        shown = [0] * len(known)
        for index in order:
            self._due = max(known[index], self._due + 1) if self.begun or dues else known[index]
            dues.append(self._due)
            shown[index] = self._due
        if not self.begun:
            self._delay = min(max(due - pts for due, pts in zip(dues, shown, strict=True)), _LONGEST_DELAY)
            self._zero = dues[0] - self._delay
        self._last_known, self._highest = known[-1], max(known)
        shift = self._delay + self._zero
        written = [with_lengths(packet.data, without=self._sets) for packet in batch]
        return [
            _Sample(data, max(pts - self._zero, due - shift), due - shift, packet.keyframe)
            for packet, data, pts, due in zip(batch, written, shown, dues, strict=True)
        ]

    def _durations(self, samples: Sequence[_Sample], follows: int | None) -> list[int]:
        dts = [sample.dts for sample in samples]
        usual = dts[-1] - dts[-2] if len(dts) > 1 else _STEP
        dts.append(dts[-1] + usual if follows is None else max(follows, dts[-1] + 1))
        self.ends = dts[-1]
        return [later - earlier for earlier, later in pairwise(dts)]


def header_of(stream_format: StreamFormat, keyframe: ClipPacket) -> bytes:
    """The boxes ftyp and moov for a stream that begins with this keyframe."""
    file = io.BytesIO()
    data = with_parameter_sets(keyframe.data, stream_format.codec, stream_format.parameter_sets)
    with av.open(file, "w", format="mp4", options=_HEADER_ONLY) as output:
        stream = add_track(output, stream_format, data)
        stream.time_base = Fraction(1, TIMESCALE)
        sample = av.Packet(data)
        sample.pts = sample.dts = 0
        sample.time_base, sample.is_keyframe, sample.stream = stream.time_base, True, stream
        output.mux_one(sample)
    made = file.getvalue()
    end = 0
    while made[end + 4 : end + 8] in (b"ftyp", b"moov"):
        end += int.from_bytes(made[end : end + 4], "big")
    return as_hvc1(made[:end])


def _fragment(number: int, samples: Sequence[_Sample], durations: Sequence[int]) -> bytes:
    """One moof and its mdat."""
    entries = b"".join(
        struct.pack(">IIIi", duration, len(each.data), _SYNC if each.keyframe else _NOT_SYNC, each.pts - each.dts)
        for each, duration in zip(samples, durations, strict=True)
    )
    # The data begin behind moof and the mdat's own 8 bytes; the boxes before `entries` have fixed sizes.
    offset = 8 + 16 + 8 + 16 + 20 + 20 + len(entries) + 8
    track = _box(
        b"traf",
        _box(b"tfhd", struct.pack(">II", _TFHD_BASE_IS_MOOF, 1)),
        _box(b"tfdt", struct.pack(">IQ", _TFDT_64_BIT, samples[0].dts)),
        _box(b"trun", struct.pack(">IIi", _TRUN_OFFSET_DURATION_SIZE_FLAGS_CTS, len(samples), offset), entries),
    )
    moof = _box(b"moof", _box(b"mfhd", struct.pack(">II", 0, number)), track)
    return moof + _box(b"mdat", *(each.data for each in samples))


def _box(kind: bytes, *content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)
