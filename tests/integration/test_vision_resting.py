"""What is decoded of a still scene is less, and yet every passage is recognised as with full decoding."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from scene_player import gallery_of, play
from vision_bench import built, passages, yunet_file

from gateway.settings import MatchingSettings, VisionSettings
from gateway.vision.faces import FaceTools, open_tools

PEOPLE = ("obama", "biden", "astronaut")
STILL_SECONDS, SHORTEST_SECONDS = 5, 1.0
RATES = {
    "crf": ({"crf": "23"}, ""),
    "cbr": ({"b": "1000k", "maxrate": "1000k", "bufsize": "250k"}, ":nal-hrd=cbr"),
}
Plane = NDArray[np.uint8]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> FaceTools:
    return open_tools(
        MatchingSettings(detector_model=yunet_file()), tmp_path_factory.mktemp("graphs"), longest_side=640
    )


@cache
def frames(name: str) -> tuple[Plane, ...]:
    """The pictures of a scene, (h * 3 / 2, w) as yuv420p."""
    with av.open(str(built(name))) as container:
        return tuple(
            np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8) for picture in container.decode(video=0)
        )


@dataclass(frozen=True)
class Visit:
    """Who passes in which pictures of a made scene, and who else is seen in them."""

    person: str
    pictures: range
    beside: frozenset[str] = frozenset()

    def shows(self, person: str | None, picture: float) -> bool:
        """Whether somebody may be recognised at that picture, or a second later."""
        here = self.pictures.start <= picture <= self.pictures.stop + 25
        return here and (person == self.person or person in self.beside)


@dataclass(frozen=True)
class Encoder:
    """How a camera encodes: pictures from keyframe to keyframe, rate control, preset; and a scene without noise."""

    group: int
    rate: str = "crf"
    preset: str = "veryfast"
    silent: bool = False


def scene(
    target: Path, encoder: Encoder, *, count: int = 5, quiet: int = 12, last: int | None = None, phase: int = 37
) -> list[Visit]:
    """Write `count` passages with `quiet` seconds of an empty scene around each; who passes when.

    With `last`, only so many pictures of a passage are shown, and each begins `phase` pictures after a keyframe.
    """
    empty, gate = frames("empty-640x360.mp4"), frames("gate-640x360.mp4")
    still = (np.mean(empty, axis=0).astype(np.uint8),) if encoder.silent else empty
    shown: list[Plane] = []
    visits: list[Visit] = []

    def wait(pictures: int) -> None:
        shown.extend(still[number % len(still)] for number in range(pictures))

    gate_passages = passages("gate-640x360")
    for each in gate_passages[:count]:
        wait(quiet * 25 + (phase if last is None else 0))
        first, until = int(str(each["first_frame"])) - 5, int(str(each["last_frame"])) + 1
        if last is not None:
            first = until - last
            wait((phase - len(shown)) % encoder.group)
        beside = frozenset(str(other["person"]) for other in gate_passages if _overlaps(other, first, until))
        visits.append(Visit(str(each["person"]), range(len(shown), len(shown) + until - first), beside))
        shown.extend(gate[first:until])
    wait(quiet * 25)
    encode(target, shown, encoder)
    return visits


def _overlaps(passage: dict[str, object], first: int, until: int) -> bool:
    return int(str(passage["first_frame"])) < until and int(str(passage["last_frame"])) >= first


def encode(target: Path, pictures: list[Plane], encoder: Encoder) -> None:
    options, more = RATES[encoder.rate]
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.thread_count = 1
        x264 = f"keyint={encoder.group}:min-keyint={encoder.group}:scenecut=0:rc-lookahead=0{more}"
        stream.options = {"preset": encoder.preset, "bf": "0", "x264-params": x264, **options}
        for number, pixels in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


@dataclass(frozen=True)
class Recognised:
    """Which visits were, and how many packets were left out."""

    visits: frozenset[int]
    false: int
    rested: int


def recognised(path: Path, tools: FaceTools, visits: list[Visit], *, rest: bool) -> Recognised:
    gallery, vision = (
        gallery_of(tools, *PEOPLE),
        VisionSettings(still_seconds=STILL_SECONDS, shortest_passage_seconds=SHORTEST_SECONDS),
    )
    played = play(path, tools, gallery, vision=vision, rest=rest)
    found: set[int] = set()
    false = 0
    for at, match in played.found:
        here = {
            number
            for number, visit in enumerate(visits)
            if visit.person == match.decision.person and visit.pictures.start <= at * 25 <= visit.pictures.stop + 25
        }
        found |= here
        false += not any(visit.shows(match.decision.person, at * 25) for visit in visits)
    return Recognised(frozenset(found), false, played.rested)


def test_a_passage_between_keyframes_is_recognised_where_sizes_do_not_show_it(tmp_path: Path, tools: FaceTools) -> None:
    # 28 pictures between two keyframes, seen only in the part that is decoded.
    visits = scene(tmp_path / "scene.mp4", Encoder(50, "cbr", "ultrafast"), count=1, quiet=8, last=28, phase=15)
    spared = recognised(tmp_path / "scene.mp4", tools, visits, rest=True)
    assert (spared.visits, spared.false) == (frozenset({0}), 0)
    assert spared.rested > 30


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])
@pytest.mark.parametrize("rate", ["crf", "cbr"])
@pytest.mark.parametrize("group", [50, 250])
def test_as_many_passages_are_recognised_as_with_full_decoding(
    tmp_path: Path, tools: FaceTools, group: int, rate: str, preset: str
) -> None:
    visits = scene(tmp_path / "scene.mp4", Encoder(group, rate, preset))
    full = recognised(tmp_path / "scene.mp4", tools, visits, rest=False)
    spared = recognised(tmp_path / "scene.mp4", tools, visits, rest=True)
    assert full.visits == frozenset(range(5))
    assert (spared.visits, spared.false) == (full.visits, 0)
    assert (spared.rested > 200) == (group == 50)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("phase", [3, 12, 24])
@pytest.mark.parametrize("rate", ["crf", "cbr"])
def test_short_passages_are_recognised_at_every_phase(tmp_path: Path, tools: FaceTools, rate: str, phase: int) -> None:
    visits = scene(tmp_path / "scene.mp4", Encoder(50, rate, "ultrafast"), last=26, phase=phase)
    full = recognised(tmp_path / "scene.mp4", tools, visits, rest=False)
    spared = recognised(tmp_path / "scene.mp4", tools, visits, rest=True)
    assert (spared.visits, spared.false) == (full.visits, 0)
    assert spared.rested > 200


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("last", "least"), [(None, 250), (26, 700)])
def test_a_silent_encoder_rests_through_ten_seconds_and_misses_nobody(
    tmp_path: Path, tools: FaceTools, last: int | None, least: int
) -> None:
    visits = scene(tmp_path / "scene.mp4", Encoder(250, silent=True), last=last, phase=60)
    full = recognised(tmp_path / "scene.mp4", tools, visits, rest=False)
    spared = recognised(tmp_path / "scene.mp4", tools, visits, rest=True)
    assert (spared.visits, spared.false) == (full.visits, 0)
    assert spared.rested > least, "a rest begins at a keyframe, and these come every 10 s"
