"""How near the people of the list are to one another: the cross-person pairs that error rates can be told from."""

from collections.abc import Sequence

import numpy as np

from gateway.matching import BIN, BINS, DistanceCounts, Gallery, TemplateRow

_REACH = 0.7
_MOST_PROBES = 1000
_MOST_PAIRS = 1_000_000


def list_pairs(gallery: Gallery, rows: Sequence[TemplateRow]) -> DistanceCounts | None:
    """Each template against every other person's nearest one, as counts; a sample of templates on large lists.

    Args:
        gallery: the list.
        rows: what it was built of.

    Returns:
        counts of single comparisons (so `people` is 1); None for fewer than two people.
    """
    others = gallery.persons - 1
    if others < 1 or not rows:
        return None
    wanted = max(50, min(_MOST_PROBES, _MOST_PAIRS // others))
    probes = rows[:: max(1, len(rows) // wanted)]
    counts = np.zeros(BINS, np.int64)
    found = gallery.identify(np.stack([row.vector for row in probes]), _REACH, gallery.persons)
    for row, candidates in zip(probes, found, strict=True):
        near = [int(each.distance / BIN + 1e-9) for each in candidates if each.person != row.person]
        np.add.at(counts, np.array(near, np.intp), 1)
        counts[BINS - 1] += others - len(near)
    return DistanceCounts(1, tuple(int(each) for each in counts))
