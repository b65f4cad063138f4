"""Enrolment photos: why one is refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Candidate, Detection
from gateway.settings import MatchingSettings, VisionSettings
from gateway.vision.child import Outlet
from gateway.vision.faces import FaceTools
from gateway.vision.gallery.enrolment import PhotoRefusedError, read_portrait
from gateway.vision.gallery.keeper import GalleryKeeper
from gateway.vision.gallery.photo import Photo
from gateway.vision.gallery.role import GalleryRole, _Desk
from gateway.vision.gallery.seals import PersonSeals
from gateway.wire import CalibrationRequest, EmbedRequest, Hello, IdentifyRequest

PICTURE = np.random.default_rng(3).integers(60, 190, (300, 300, 3)).astype(np.uint8)


class Finder:
    name = "test"

    def __init__(self, *faces: Detection) -> None:
        self._faces = faces

    least_height = 12.0

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        return self._faces


class Aligner:
    def __init__(self, *, places: bool = True) -> None:
        self._places = places

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        return np.zeros((150, 150, 3), np.uint8) if self._places else None


class Embedder:
    fingerprint, dimension, metric = "m", 2, "euclidean"

    def __init__(self, answer: float = 1.0) -> None:
        self._answer = answer

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((len(chips), 2), self._answer, np.float32)


def tools(*faces: Detection, places: bool = True) -> FaceTools:
    return FaceTools(Finder(*faces), Aligner(places=places), Embedder())  # type: ignore[arg-type]  # metric is a str here


def face(height: float, x: float = 20) -> Detection:
    return Detection(x, 20, height * 0.75, height, 0.95)


def test_one_good_face_is_taken_with_its_figures() -> None:
    portrait = read_portrait(Photo(PICTURE), tools(face(120)))
    assert portrait.vector.tolist() == [1.0, 1.0]
    assert portrait.quality["height_px"] == 120
    assert portrait.quality["size"] == 1.0


def test_a_small_face_in_the_background_is_not_meant() -> None:
    assert read_portrait(Photo(PICTURE), tools(face(120), face(30, 200))).quality["height_px"] == 120


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ((), "no_face"),
        ((face(120), face(100, 150)), "several_faces"),
        ((face(30),), "too_small"),
    ],
)
def test_a_photo_is_refused_with_its_reason(found: tuple[Detection, ...], reason: str) -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        read_portrait(Photo(PICTURE), tools(*found))
    assert refused.value.reason == reason
    assert refused.value.what


def test_a_blurred_face_is_refused_with_its_figures() -> None:
    smooth = np.tile(np.linspace(60, 190, 300).astype(np.uint8)[:, None, None], (1, 300, 3))
    with pytest.raises(PhotoRefusedError) as refused:
        read_portrait(Photo(smooth), tools(face(120)))
    assert refused.value.reason == "blurred"
    assert refused.value.quality["sharpness"] < 0.25


def test_a_face_whose_points_cannot_be_placed_is_no_face() -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        read_portrait(Photo(PICTURE), tools(face(120), places=False))
    assert refused.value.reason == "no_face"


def test_a_network_that_fails_on_a_face_refuses_the_photo_and_the_child_lives_on() -> None:
    failing = replace(tools(face(120)), embedder=Embedder(float("nan")))  # type: ignore[arg-type]  # metric is a str here
    desk = _Desk(failing, cast(GalleryKeeper, Kept(None)))
    image = Photo(PICTURE).as_jpeg()
    embedded = a_role()._embed(desk, EmbedRequest(request=1, person="p1", photo="f", wrapped_key=b"", image=image))
    identified = a_role()._identify(desk, IdentifyRequest(request=2, image=image, limit=1))
    assert (embedded.refusal, identified.refusal) == ("no_vector", "no_vector")
    assert embedded.detail == "the face network gave no vector"


def a_role() -> GalleryRole:
    hello = Hello(
        role="gallery",
        worker="gallery",
        site="east",
        vision=VisionSettings(),
        matching=MatchingSettings(),
        models_directory="/nonexistent",
        people_key=bytes(32),
    )
    return GalleryRole(hello, cast("Outlet", None))


def test_what_the_detector_is_blind_to_is_said_with_the_first_photo_and_once(caplog: pytest.LogCaptureFixture) -> None:
    """Who only asks what a threshold costs detects nothing."""
    role = a_role()
    blind = replace(tools(face(120)), notice="face detection by HOG")
    desk = _Desk(blind, GalleryKeeper(PersonSeals(bytes(32)), "m", 2))
    role._calibrate(desk, CalibrationRequest(request=1, people=0))
    assert caplog.messages == []
    for _ in range(2):
        role._portrait(desk, Photo(PICTURE))
    assert caplog.messages == ["face detection by HOG"]


class Kept:
    """A keeper of a list on which the person's nearest photo is that far away."""

    people = 2

    def __init__(self, distance: float | None) -> None:
        self._distance = distance

    def near(self, *_asked: object) -> tuple[Candidate, ...]:
        return ()

    def own_distance(self, *_asked: object) -> float | None:
        return self._distance


@pytest.mark.parametrize(
    ("distance", "refusal"), [(0.0, "photo_twice"), (3e-6, "photo_twice"), (0.004, ""), (0.9, ""), (None, "")]
)
def test_the_very_photo_that_the_entry_has_is_refused(distance: float | None, refusal: str) -> None:
    role = a_role()
    desk = _Desk(tools(face(120)), cast(GalleryKeeper, Kept(distance)))
    request = EmbedRequest(request=1, person="p1", photo="f2", wrapped_key=b"", image=Photo(PICTURE).as_jpeg())
    reply = role._embed(desk, request)
    assert (reply.refusal, reply.template == b"", reply.digest == b"") == (refusal, bool(refusal), bool(refusal))


def test_a_digest_is_of_file_and_key() -> None:
    seals = PersonSeals(bytes(32))
    one, other = seals.of_new("p1"), seals.of_new("p2")
    assert one.digest(b"file") == seals.for_person("p1", one.wrapped_key).digest(b"file")
    assert len({one.digest(b"file"), one.digest(b"another"), other.digest(b"file")}) == 3


@pytest.mark.parametrize(("shape", "reason"), [((52, 40, 3), "too_small"), ((300, 300, 3), "no_face")])
def test_a_photo_that_has_no_room_for_a_face_is_too_small(shape: tuple[int, int, int], reason: str) -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        read_portrait(Photo(np.zeros(shape, np.uint8)), tools())
    assert refused.value.reason == reason
