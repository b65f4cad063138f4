"""Turns the views of a camera's tracks into vectors, with the care that each is worth."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.matching import ChipMean, NoVectorError, Shot, Track
from gateway.vision.faces import FaceTools

# A mirrored view tells more of a face that is at least so high (px); of smaller ones it told less as often as more.
_MIRRORED_FROM = 40.0

Vector = NDArray[np.float32]


class ViewEmbedder:
    """One camera's.

    Args:
        tools: aligner and embedder.
    """

    def __init__(self, tools: FaceTools) -> None:
        self._tools = tools
        self._means: dict[int, ChipMean] = {}

    def embed(
        self, shots: Sequence[tuple[Track, Shot]], *, dusk: bool = False, promising: Collection[int] = ()
    ) -> list[Vector | None]:
        """The vector (d,) of each track's view; None where its points cannot be placed.

        Args:
            shots: the views.
            dusk: whether they are mostly noise: then each is averaged with the latest ones of its track.
            promising: the tracks for which twice the work pays: full-sized views of them are embedded mirrored, too,
                and the mean is answered.

        Raises:
            NoVectorError: the network answers with no number, or with nothing but zeros.
        """
        chips = self._tools.chips([(shot.crop, shot.face) for _, shot in shots])
        if dusk:
            chips = [
                self._averaged(track.number, shot.at, chip) for (track, shot), chip in zip(shots, chips, strict=True)
            ]
        mirrored = [
            chip[:, ::-1] if chip is not None and _is_worth_it(track, shot, promising) else None
            for (track, shot), chip in zip(shots, chips, strict=True)
        ]
        vectors = self._tools.embedded(chips)
        return [self._of(*both) for both in zip(vectors, self._as_far_as_it_goes(mirrored), strict=True)]

    def keep_only(self, tracks: Collection[int]) -> None:
        """Forget what is known of all other tracks."""
        self._means = {number: mean for number, mean in self._means.items() if number in tracks}

    def _averaged(self, track: int, at: float, chip: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        return None if chip is None else self._means.setdefault(track, ChipMean()).add(at, chip)

    def _as_far_as_it_goes(self, mirrored: Sequence[NDArray[np.uint8] | None]) -> list[Vector | None]:
        """The mirrored views' vectors; none of them if the network fails on one: the views themselves are good."""
        try:
            return self._tools.embedded(mirrored)
        except NoVectorError:
            return [None] * len(mirrored)

    def _of(self, one: Vector | None, other: Vector | None) -> Vector | None:
        return one if one is None or other is None else self._tools.together(one, other)


def _is_worth_it(track: Track, shot: Shot, promising: Collection[int]) -> bool:
    return track.number in promising and shot.quality.height_px >= _MIRRORED_FROM
