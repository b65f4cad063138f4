"""What children send of a clip, as the store of clips takes it."""

from gateway.storage import ClipPart, Evidence
from gateway.wire import ClipPiece


def part_of(evidence: Evidence, piece: ClipPiece) -> ClipPart:
    """A piece as a part of this evidence."""
    return ClipPart(
        evidence=evidence,
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
