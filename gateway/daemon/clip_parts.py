"""What children send of a clip, as the store of clips takes it."""

from dataclasses import replace

from gateway.storage import ClipPart, ClipState, Evidence
from gateway.wire import ClipPiece

_LONGEST_CODEC = 64  # a child is not trusted with the size of what is stored


def part_of(evidence: Evidence, piece: ClipPiece) -> ClipPart:
    """A piece as a part of this evidence."""
    about = replace(evidence.clip or ClipState(), codec=piece.codec[:_LONGEST_CODEC])
    return ClipPart(
        evidence=replace(evidence, clip=about),
        number=piece.number,
        data=piece.data,
        whole=piece.whole,
        seconds=piece.seconds,
        last=piece.last,
        cut_short=piece.cut_short,
        late_seconds=piece.late_seconds,
        lost_seconds=piece.lost_seconds,
        others=piece.others,
        trouble=piece.trouble,
    )
