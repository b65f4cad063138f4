"""Our pipeline beside the two loops that face_recognition's own examples recommend, on scenes with known truth."""

import itertools
import json
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from scene_player import gallery_of, play
from vision_bench import built

from gateway.matching import Calibration, FactoryModel, Gallery
from gateway.vision.faces import FaceTools

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "pkg_resources is deprecated as an API")
    import face_recognition

PEOPLE = ("obama", "biden", "astronaut")
_FPS, _GRACE_FRAMES = 25, 25
_PHASES = 5


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
    """What was recognised; both sides know the same people, all at once.

    Attributes:
        recognised: passages (their number in the truth) in which their own person was named.
        false: frames or warnings that named somebody who is not there.
        repeated: warnings of a passage that had been warned of.
        nearest: the peer's: of each passage the least distance to its own person.
    """

    recognised: set[int] = field(default_factory=set)
    false: int = 0
    repeated: int = 0
    nearest: dict[int, float] = field(default_factory=dict)
    frames: int = 0
    cpu: float = 0.0


class Truth:
    """Who passes when in a scene."""

    def __init__(self, scene: Path) -> None:
        told = json.loads(scene.with_suffix(".json").read_text())
        self.frames: int = told["frames"]
        self.passages: list[dict[str, Any]] = told["passages"]

    def passing(self, person: str, frame: int, grace: int = 0) -> list[int]:
        """The passages of `person` at `frame`, by their number."""
        return [
            number
            for number, each in enumerate(self.passages)
            if each["person"] == person and each["first_frame"] <= frame <= each["last_frame"] + grace
        ]

    def note(self, tally: Tally, person: str, frame: int, grace: int = 0) -> None:
        """Count that `person` was named at `frame`."""
        hit = self.passing(person, frame, grace)
        tally.repeated += bool(tally.recognised.intersection(hit))
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


def run_loop(loop: Loop, scene: Path, people: Sequence[str], first: int, last: int) -> tuple[Tally, int]:
    """The peer's loop over the frames first..last-1 with these people known, decoding before that not counted.

    Every face's encoding is compared with each known person; the comparisons cost microseconds beside the rest.
    """
    truth, tally = Truth(scene), Tally()
    known = {name: encoding_of(name) for name in people}
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
                (distance,) = face_recognition.face_distance([one], encoding)
                for passage in truth.passing(name, number):
                    tally.nearest[passage] = min(distance, tally.nearest.get(passage, distance))
                if distance <= loop.tolerance:  # as compare_faces does
                    truth.note(tally, name, number)
    tally.cpu = time.process_time() - begun
    return tally, tally.frames


def encoding_of(name: str) -> NDArray[np.float64]:
    """A known person's, from the fixtures' portrait, as the examples make it."""
    image = face_recognition.load_image_file(str(built(f"portraits/{name}.jpg")))
    return np.asarray(face_recognition.face_encodings(image)[0])


def run_ours(tools: FaceTools, scene: Path, gallery: Gallery, phase: int = 0) -> Tally:
    """Our camera's chain over the whole scene: every picture decoded, five looks a second from picture `phase` on."""
    truth, tally = Truth(scene), Tally()
    begun = time.process_time()
    played = play(scene, tools, gallery, rest=False, first_look=phase / _FPS)
    tally.cpu, tally.frames = time.process_time() - begun, truth.frames
    for at, match in played.found:
        truth.note(tally, match.decision.person or "", round(at * _FPS), _GRACE_FRAMES)
    return tally


@dataclass(frozen=True)
class Case:
    """A scene, the peer's loop, and who is known to both sides."""

    scene: str
    loop: Loop
    people: tuple[str, ...] = PEOPLE


CASES = (
    Case("gate-640x360", FILE_LOOP),
    Case("gate-640x360", WEBCAM_LOOP),
    Case("gate-1280x720", WEBCAM_LOOP),
    Case("far-640x360", FILE_LOOP),
    Case("far-1280x720", WEBCAM_LOOP),
    Case("farther-640x360", FILE_LOOP),
    Case("turned-640x360", FILE_LOOP),
    Case("dark-640x360", FILE_LOOP),
    Case("unlisted-640x360", FILE_LOOP, ("obama",)),
)
QUICK = (Case("gate-640x360", FILE_LOOP), Case("gate-1280x720", WEBCAM_LOOP))


def equal_tolerance(people: int) -> float:
    """The tolerance of single looks that keeps to one false warning a day, as our threshold for tracks does.

    The factory model counts 15 looks a track; the loops have up to ten times as many, which flatters them.
    """
    return Calibration(FactoryModel.load(), "look", people).threshold_for(1.0)


def compare(tools: FaceTools, case: Case, rounds: int, limit: int) -> dict[str, Any]:
    """Both on one scene, in turn: a round is our whole run and the next part of the peer's frames.

    Ours looks at every fifth picture, the peer at all of them: so ours is run at each of the five phases, and passages
    are counted over all rounds. What the peer would recognise if it, too, were to warn falsely once a day is counted by
    `equal_tolerance`.
    """
    scene, gallery = built(f"{case.scene}.mp4"), gallery_of(tools, *case.people)
    truth = Truth(scene)
    total = min(limit, truth.frames)
    cuts = np.linspace(0, total, rounds + 1).astype(int)
    ours, peer = [], Tally()
    for number, (first, last) in enumerate(itertools.pairwise(cuts)):
        ours.append(run_ours(tools, scene, gallery, number % _PHASES))
        part, frames = run_loop(case.loop, scene, case.people, int(first), int(last))
        peer.recognised |= part.recognised
        peer.false += part.false
        for passage, distance in part.nearest.items():
            peer.nearest[passage] = min(distance, peer.nearest.get(passage, distance))
        peer.cpu += part.cpu
        peer.frames += frames
    our, theirs = statistics.median(1e3 * one.cpu / one.frames for one in ours), 1e3 * peer.cpu / peer.frames
    return {
        "scene": case.scene,
        "megabits_per_second": round(scene.stat().st_size * 8 * 25 / truth.frames / 1e6, 2),
        "peer": case.loop.name,
        "dlib_use_blas": bool(dlib.DLIB_USE_BLAS),
        "known": ", ".join(case.people),
        "frames_of_the_peer": peer.frames,
        "our_ms_per_frame": round(our, 3),
        "peer_ms_per_frame": round(theirs, 3),
        "ratio": round(theirs / our, 1),
        "passages_of_the_known": sum(each["person"] in case.people for each in truth.passages),
        "passages_of_others": sum(each["person"] not in case.people for each in truth.passages),
        "passages_of_the_known_in_the_peers_frames": sum(
            each["person"] in case.people and each["first_frame"] < peer.frames for each in truth.passages
        ),
        "our_passages_recognised_by_phase": [len(one.recognised) for one in ours],
        "our_passages_recognised": statistics.mean(len(one.recognised) for one in ours),
        "peer_passages_recognised": len(peer.recognised),
        "peer_tolerance_of_one_false_warning_a_day": (fair := equal_tolerance(len(case.people))),
        "peer_passages_recognised_at_it": sum(distance <= fair for distance in peer.nearest.values()),
        "our_false_warnings": sum(one.false for one in ours),
        "our_repeated_warnings": sum(one.repeated for one in ours),
        "peer_false_matches": peer.false,
    }
