"""Recall and false identities by face height and condition, through a camera's whole chain, in fp32 and int8.

Each of five portraits of three people stands and sways in the fixtures' empty place, while one person is listed: the
one shown, or another. int8 is never calibrated on a person that it is tested with.
"""

import itertools
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from vision_bench import built

from gateway.matching import Detection, Gallery, TemplateRow, installed_models
from gateway.matching.embedder import GRAPH_VERSION
from gateway.matching.graph_cache import GraphSource
from gateway.matching.inference import open_session
from gateway.matching.int8_graph import measure_ranges, quantize_graph
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.gallery.enrolment import read_portrait
from gateway.vision.gallery.photo import read_photo
from gateway.vision.video.looker import Looker

sys.path.append(str(Path(__file__).resolve().parents[1] / "fixtures"))
from calibrate_int8 import chips_by_person

PORTRAITS = {
    "obama2": "obama",
    "obama3": "obama",
    "obama": "obama",
    "biden": "biden",
    "astronaut": "astronaut",
}
PEOPLE = ("obama", "biden", "astronaut")
HEIGHTS = (120, 80, 60, 48, 40, 36, 32, 28, 24)
LOOKS, PACE = 12, 0.2
_EMPTY_LOOKS = 3
_RIM = 0.55  # of the face's height; pasted with a soft edge

Picture = NDArray[np.uint8]
Spoil = Callable[[NDArray[np.float32], int, np.random.Generator], NDArray[np.float32]]


def _plain(picture: NDArray[np.float32], height: int, dice: np.random.Generator) -> NDArray[np.float32]:
    return picture


def _blurred(picture: NDArray[np.float32], height: int, dice: np.random.Generator) -> NDArray[np.float32]:
    """Out of focus and moving: 0.03 of the face's height."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.03 * height), np.float32)


def _noisy(picture: NDArray[np.float32], height: int, dice: np.random.Generator) -> NDArray[np.float32]:
    return picture + dice.normal(0, 12, picture.shape).astype(np.float32)


def _night(picture: NDArray[np.float32], height: int, dice: np.random.Generator) -> NDArray[np.float32]:
    """A quarter of the light, and the noise of a sensor that makes the most of it."""
    return 0.25 * picture + dice.normal(0, 8, picture.shape).astype(np.float32)


@dataclass(frozen=True)
class Condition:
    """How a face is seen: what is done to the picture, and how far the head is turned (degrees)."""

    name: str
    spoil: Spoil = _plain
    yaw: float = 0.0


CONDITIONS = (
    Condition("plain"),
    Condition("blur", _blurred),
    Condition("noise", _noisy),
    Condition("night", _night),
    Condition("yaw 20", yaw=20.0),
    Condition("yaw 35", yaw=35.0),
)


@dataclass
class Cell:
    """Passages of listed people and how many were recognised; passages of others and how many were named falsely."""

    shown: int = 0
    recognised: int = 0
    others: int = 0
    false: int = 0


class Remembering:
    """A detector or an aligner that answers the same picture once: only the networks differ between the runs."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._known: dict[tuple[object, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def detect(self, rgb: Picture, regions: Any = None) -> Any:
        """The detector's answer."""
        key = (rgb.tobytes(), rgb.shape, None if regions is None else tuple(regions))
        return self._once(key, lambda: self._inner.detect(rgb, regions=regions))

    def align(self, rgb: Picture, face: Detection) -> Any:
        """The aligner's answer."""
        return self._once((rgb.tobytes(), rgb.shape, face), lambda: self._inner.align(rgb, face))

    def forget(self) -> None:
        """Let go of what is known."""
        self._known.clear()

    def _once(self, key: tuple[object, ...], ask: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]


class HeldOutInt8:
    """The int8 network by ranges of some people only."""

    chip_side, dimension, metric = 150, 128, "euclidean"

    def __init__(self, graph: bytes, chips: Picture, name: str) -> None:
        self._session = open_session(quantize_graph(graph, measure_ranges(graph, chips)), name)
        self.fingerprint = f"int8-{name}"

    def embed(self, chips: Picture) -> NDArray[np.float32]:
        """Vectors (n, 128) of chips (n, 150, 150, 3)."""
        return np.concatenate([self._session.run(None, {"chips": chip[None]})[0] for chip in chips])


@dataclass
class Networks:
    """fp32, and int8 for each pair of a person shown and a person listed, calibrated on neither."""

    fp32: FaceTools
    graph: bytes
    chips: dict[str, Picture]
    _made: dict[frozenset[str], FaceTools] = field(default_factory=dict)
    _galleries: dict[tuple[str, str], Gallery] = field(default_factory=dict)

    def gallery(self, tools: FaceTools, listed: str) -> Gallery:
        """A watch-list of one person."""
        key = (tools.embedder.fingerprint, listed)
        if key not in self._galleries:
            photo = read_photo(built(f"portraits/{listed}.jpg").read_bytes())
            row = TemplateRow(listed, "photo", read_portrait(photo, tools).vector)
            self._galleries[key] = Gallery.build([row], fingerprint=key[0], dimension=tools.embedder.dimension)
        return self._galleries[key]

    def forget(self) -> None:
        """Let go of the pictures of one passage."""
        for each in (self.fp32.detector, self.fp32.aligner):
            assert isinstance(each, Remembering)  # made so below
            each.forget()

    def tools(self, precision: str, shown: str, listed: str) -> FaceTools:
        """The tools for one case."""
        if precision == "fp32":
            return self.fp32
        others = frozenset(PEOPLE) - {shown, listed}
        if others not in self._made:
            chips = np.concatenate([self.chips[name] for name in sorted(others)])
            network = HeldOutInt8(self.graph, chips, "+".join(sorted(others)))
            self._made[others] = replace(self.fp32, embedder=network)  # type: ignore[arg-type]  # metric is a str here
        return self._made[others]


def measure(model: Path, *, quick: bool) -> list[dict[str, Any]]:
    """A row per condition and precision: counts per height as "recognised/shown", then the false identities."""
    heights = (80, 40, 32, 24) if quick else HEIGHTS
    conditions = CONDITIONS[:1] + CONDITIONS[3:5] if quick else CONDITIONS
    portraits = dict(list(PORTRAITS.items())[:2] if quick else PORTRAITS.items())
    with tempfile.TemporaryDirectory() as graphs:
        networks = _networks(model, Path(graphs))
        cells: dict[tuple[str, str, int], Cell] = defaultdict(Cell)
        for condition, height, portrait in itertools.product(conditions, heights, portraits):
            frames = list(passage(networks.fp32, portrait, height, condition))
            for precision, listed in itertools.product(("fp32", "int8"), PEOPLE[:2] if quick else PEOPLE):
                shown = PORTRAITS[portrait]
                tools = networks.tools(precision, shown, listed)
                named = _named(tools, frames, networks.gallery(tools, listed))
                _count(cells[condition.name, precision, height], own=shown == listed, named=named)
            networks.forget()
    return [_row(name, precision, heights, cells) for name in (c.name for c in conditions) for precision in _PRECISIONS]


_PRECISIONS = ("fp32", "int8")


def _networks(model: Path, graphs: Path) -> Networks:
    fp32 = open_tools(MatchingSettings(detector_model=model), graphs, longest_side=640)
    graph = GraphSource(installed_models().weights, graphs).load(GRAPH_VERSION)
    chips = chips_by_person(fp32.detector, fp32.aligner)  # YuNet, by `model`
    fp32 = replace(fp32, detector=Remembering(fp32.detector), aligner=Remembering(fp32.aligner))
    return Networks(fp32, graph, {name: each[::4] for name, each in chips.items()})


def _count(cell: Cell, *, own: bool, named: bool) -> None:
    if own:
        cell.shown, cell.recognised = cell.shown + 1, cell.recognised + named
    else:
        cell.others, cell.false = cell.others + 1, cell.false + named


def _row(
    condition: str, precision: str, heights: tuple[int, ...], cells: dict[tuple[str, str, int], Cell]
) -> dict[str, Any]:
    line = {height: cells[condition, precision, height] for height in heights}
    return {
        "condition": condition,
        "precision": precision,
        **{f"{height}_px": f"{cell.recognised}/{cell.shown}" for height, cell in line.items()},
        "false_identities": f"{sum(c.false for c in line.values())}/{sum(c.others for c in line.values())}",
    }


def _named(tools: FaceTools, frames: list[Frame], gallery: Gallery) -> bool:
    """Whether the listed person is warned of while the frames pass."""
    looker = Looker("cam-01", tools, VisionSettings(), MatchingSettings(cooldown_seconds=0))
    found = [match for frame in frames for match in looker.look(frame, gallery)]
    return bool([*found, *looker.finish(gallery)])


def passage(tools: FaceTools, portrait: str, height: int, condition: Condition) -> Iterator[Frame]:
    """Pictures, five a second: the empty place, then a head with a face `height` px high that sways a little."""
    dice = np.random.default_rng([height, len(portrait), round(condition.yaw)])
    head, mask = _head(tools, portrait, height, condition.yaw)
    for number, place in enumerate(_places(_EMPTY_LOOKS + LOOKS)):
        picture = place.astype(np.float32)
        if number >= _EMPTY_LOOKS:
            at = (300 + 25 * np.sin(0.8 * number), 175 + 3 * np.sin(2.1 * number))
            picture = _paste(picture, head, mask, at, roll=2.0 * np.sin(1.3 * number))
        spoilt = np.clip(condition.spoil(picture, height, dice), 0, 255).astype(np.uint8)
        yield Frame.from_rgb(spoilt, seconds=number * PACE, number=number + 1)


def _places(count: int) -> Iterator[Picture]:
    with av.open(str(built("empty-640x360.mp4"))) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= 5 * count:
                return
            if index % 5 == 0:
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _head(tools: FaceTools, portrait: str, height: int, yaw: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A portrait's head (h, w, 3) with its face `height` px high, turned, and how much each pixel (h, w, 1) covers."""
    rgb = read_photo(built(f"portraits/{portrait}.jpg").read_bytes()).rgb
    face = max(tools.detector.detect(rgb), key=lambda each: each.height)
    crop, (x, y) = _around(rgb, face)
    turned = cv2.remap(crop, *_cylinder(crop.shape, (x, y), face, yaw), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    factor = height / face.height
    small = cv2.resize(turned, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = np.mgrid[0 : small.shape[0], 0 : small.shape[1]]
    reach = np.hypot((columns - x * factor) / (0.62 * height), (rows - y * factor) / (0.8 * height))
    return small, np.clip((1.0 - reach) / 0.15, 0, 1)[..., None].astype(np.float32)


def _around(rgb: Picture, face: Detection) -> tuple[Picture, tuple[float, float]]:
    """The head of a face, and the face's middle in it."""
    rim = _RIM * face.height
    left, top = max(0, int(face.x - rim)), max(0, int(face.y - rim))
    crop = rgb[top : int(face.y + face.height + rim), left : int(face.x + face.width + rim)]
    return crop, (face.centre[0] - left, face.centre[1] - top)


def _cylinder(
    shape: tuple[int, ...], middle: tuple[float, float], face: Detection, yaw: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel comes from when the head, taken as an upright cylinder, turns by `yaw` degrees."""
    radius = 0.75 * face.width
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    angle = np.arcsin(np.clip((columns - middle[0]) / radius, -1, 1)) + np.radians(yaw)
    source = np.where(np.abs(columns - middle[0]) < radius, middle[0] + radius * np.sin(angle), columns)
    return source.astype(np.float32), rows


def _paste(
    picture: NDArray[np.float32],
    head: NDArray[np.float32],
    mask: NDArray[np.float32],
    at: tuple[float, float],
    roll: float,
) -> NDArray[np.float32]:
    """The head with its middle at a place (px, fractions too), tilted by `roll` degrees."""
    size = (picture.shape[1], picture.shape[0])
    matrix = cv2.getRotationMatrix2D((head.shape[1] / 2, head.shape[0] / 2), roll, 1.0)
    matrix[:, 2] += np.array(at) - np.array([head.shape[1] / 2, head.shape[0] / 2])
    over = cv2.warpAffine(head, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    return np.asarray(picture * (1 - cover) + over * cover, np.float32)
