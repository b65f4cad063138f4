"""Our pipeline beside the two loops that face_recognition's own examples recommend, on scenes with known truth."""

import itertools
import json
import statistics
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from scene_player import gallery_of, play
from vision_bench import built

from gateway.vision.faces import FaceTools

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "pkg_resources is deprecated as an API")
    import face_recognition

PEOPLE = ("obama", "biden", "astronaut")
_GRACE_FRAMES = 25


@dataclass(frozen=True)
class Loop:
    """One of the peer's loops.

    Attributes:
        name: of the example.
        step: every so many-th frame is looked at.
        scale: to which a frame is shrunk before.
        tolerance: of compare_faces.
    """

    name: str
    step: int
    scale: float
    tolerance: float


FILE_LOOP = Loop("facerec_from_video_file", 1, 1.0, 0.5)
WEBCAM_LOOP = Loop("facerec_from_webcam_faster", 2, 0.25, 0.6)


@dataclass
class Tally:
    """What was recognised, each person of the fixtures being the known one in turn.

    Attributes:
        recognised: passages (their number in the truth) in which their own person was named.
        false: frames or warnings that named somebody who is not there.
    """

    recognised: set[int] = field(default_factory=set)
    false: int = 0
    frames: int = 0
    cpu: float = 0.0


class Truth:
    """Who passes when in a scene."""

    def __init__(self, scene: Path) -> None:
        told = json.loads(scene.with_suffix(".json").read_text())
        self.frames: int = told["frames"]
        self.passages: list[dict[str, Any]] = told["passages"]

    def note(self, tally: Tally, person: str, frame: int, grace: int = 0) -> None:
        """Count that `person` was named at `frame`."""
        hit = [
            number
            for number, each in enumerate(self.passages)
            if each["person"] == person and each["first_frame"] <= frame <= each["last_frame"] + grace
        ]
        tally.recognised.update(hit)
        tally.false += not hit


def frames_of(scene: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """As the examples read them: with OpenCV, each frame decoded."""
    video = cv2.VideoCapture(str(scene))
    try:
        number = 0
        while True:
            there, bgr = video.read()
            if not there:
                return
            yield number, np.asarray(bgr, np.uint8)
            number += 1
    finally:
        video.release()


def run_loop(loop: Loop, scene: Path, first: int, last: int) -> tuple[Tally, int]:
    """The peer's loop over the frames first..last-1, decoding before that not counted.

    Every face's encoding is compared with each known person; the comparisons cost microseconds beside the rest.
    """
    truth, tally = Truth(scene), Tally()
    known = {name: encoding_of(name) for name in PEOPLE}
    begun = time.process_time()
    for number, bgr in frames_of(scene):
        if number < first:
            begun = time.process_time()
            continue
        if number >= last:
            break
        tally.frames += 1
        if number % loop.step:
            continue
        small = bgr if loop.scale == 1 else cv2.resize(bgr, (0, 0), fx=loop.scale, fy=loop.scale)
        rgb = np.ascontiguousarray(small[:, :, ::-1])
        places = face_recognition.face_locations(rgb)
        for encoding in face_recognition.face_encodings(rgb, places):
            for name, one in known.items():
                if face_recognition.compare_faces([one], encoding, loop.tolerance)[0]:
                    truth.note(tally, name, number)
    tally.cpu = time.process_time() - begun
    return tally, tally.frames


def encoding_of(name: str) -> NDArray[np.float64]:
    """A known person's, from the fixtures' portrait, as the examples make it."""
    image = face_recognition.load_image_file(str(built(f"portraits/{name}.jpg")))
    return np.asarray(face_recognition.face_encodings(image)[0])


def run_ours(tools: FaceTools, scene: Path, *, person: str) -> Tally:
    """Our camera's chain over the whole scene with one listed person: every picture decoded, five looks a second."""
    truth, tally = Truth(scene), Tally()
    gallery = gallery_of(tools, person)
    begun = time.process_time()
    played = play(scene, tools, gallery)
    tally.cpu, tally.frames = time.process_time() - begun, truth.frames
    for at, match in played.found:
        truth.note(tally, match.decision.person or "", round(at * 25), _GRACE_FRAMES)
    return tally


def compare(tools: FaceTools, scene_name: str, loop: Loop, rounds: int, limit: int) -> dict[str, Any]:
    """Both on one scene, in turn: a round is our whole run for each person and the next part of the peer's frames."""
    scene = built(f"{scene_name}.mp4")
    truth = Truth(scene)
    total = min(limit, truth.frames)
    cuts = np.linspace(0, total, rounds + 1).astype(int)
    ours, peer = Tally(), Tally()
    our_ms, peer_ms = [], []
    run_ours(tools, scene, person=PEOPLE[0])
    for first, last in itertools.pairwise(cuts):
        for person in PEOPLE:
            one = run_ours(tools, scene, person=person)
            our_ms.append(1e3 * one.cpu / one.frames)
            ours.recognised |= one.recognised
            ours.false += one.false
        part, frames = run_loop(loop, scene, int(first), int(last))
        peer_ms.append(1e3 * part.cpu / max(1, frames))
        peer.recognised |= part.recognised
        peer.false += part.false
        peer.cpu += part.cpu
        peer.frames += frames
    our, theirs = statistics.median(our_ms), 1e3 * peer.cpu / peer.frames
    return {
        "scene": scene_name,
        "megabits_per_second": round(scene.stat().st_size * 8 * 25 / truth.frames / 1e6, 2),
        "peer": loop.name,
        "dlib_use_blas": bool(dlib.DLIB_USE_BLAS),
        "frames_of_the_peer": peer.frames,
        "our_ms_per_frame": round(our, 3),
        "peer_ms_per_frame": round(theirs, 3),
        "ratio": round(theirs / our, 1),
        "passages": len(truth.passages),
        "our_passages_recognised": len(ours.recognised),
        "peer_passages_recognised": len(peer.recognised),
        "our_false_warnings": ours.false,
        "peer_false_matches": peer.false,
        "runs_of_ours": len(our_ms),
    }
