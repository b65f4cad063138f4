"""Plays a recorded scene through a camera's real reader and looker as fast as it goes, without threads."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import av
from vision_bench import built

from gateway.matching import Gallery, TemplateRow
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame, Sparing
from gateway.streams.frame import Converter
from gateway.streams.saver import Saver
from gateway.streams.session import Session
from gateway.streams.sparing import RestSwitch
from gateway.vision.faces import FaceTools
from gateway.vision.gallery.enrolment import read_portrait
from gateway.vision.gallery.photo import read_photo
from gateway.vision.video.looker import Looker
from gateway.vision.video.passers import Match

NO_COOLDOWN = MatchingSettings(cooldown_seconds=0)


def gallery_of(tools: FaceTools, *portraits: str) -> Gallery:
    """A watch-list of one person per portrait of the fixtures, each by the portrait's name."""
    photos = {name: read_photo(built(f"portraits/{name}.jpg").read_bytes()) for name in portraits}
    rows = [TemplateRow(name, f"{name}-photo", read_portrait(photo, tools).vector) for name, photo in photos.items()]
    return Gallery.build(rows, fingerprint=tools.embedder.fingerprint, dimension=tools.embedder.dimension)


@dataclass
class Played:
    """What a looker made of a scene.

    Attributes:
        found: the warnings, with the stream time (s) of the picture that decided them.
        decoded, rested, looked: pictures decoded, packets left out, pictures looked at.
        backlog: of the latter, those that were made up for.
        wakes: how often motion ended a rest.
        passages: visits of anybody.
    """

    found: list[tuple[float, Match]] = field(default_factory=list)
    decoded: int = 0
    rested: int = 0
    looked: int = 0
    backlog: int = 0
    wakes: int = 0
    passages: int = 0
    seconds: float = 0.0


class _MediaClock:
    """The reader's clock: as if each packet came at its own time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(  # what a camera is configured with
    scene: Path,
    tools: FaceTools,
    gallery: Gallery,
    *,
    vision: VisionSettings | None = None,
    matching: MatchingSettings = NO_COOLDOWN,
    looks_per_second: float = 5.0,
    first_look: float = 0.0,
    rest: bool = True,
) -> Played:
    """Play `scene` once; with `rest`, decoding is spared in still scenes as in the daemon.

    Nothing is looked at before the scene's time `first_look` (s).
    """
    vision = vision or VisionSettings()
    looker, switch, converter = Looker("cam-01", tools, vision, matching), RestSwitch(), Converter()
    played, clock, due = Played(), _MediaClock(), first_look
    sparing = Sparing(looker.moved, look_seconds=1 / looks_per_second, shortest_seconds=vision.shortest_passage_seconds)
    picker = partial(Saver, sparing, switch) if rest else None
    with av.open(str(scene)) as container:
        session = Session(container, None, clock, lambda: None, picker)
        for decoded in session.pictures():
            picture = decoded.picture
            played.rested += decoded.resting
            if picture is None:
                clock.now = max(clock.now, decoded.time or 0.0)
                continue
            at = float(picture.time or 0.0)
            clock.now, played.decoded, played.seconds = max(clock.now, at), played.decoded + 1, at
            if not decoded.backlog and at < due - 1e-6:
                continue
            due = (at if decoded.backlog else max(due, at)) + 1 / looks_per_second
            played.looked += 1
            played.backlog += decoded.backlog
            frame = Frame(at, 0.0, played.decoded, picture.width, picture.height, picture, converter, decoded.backlog)
            played.found += [(at, match) for match in looker.look(frame, gallery)]
            switch.ask(rest=looker.is_still(at), somebody=looker.wants_main)
    played.found += [(played.seconds, match) for match in looker.finish(gallery)]
    played.wakes, played.passages = switch.wakes, looker.counts.total
    return played
