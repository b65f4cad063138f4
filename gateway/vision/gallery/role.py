"""The gallery role: the only process that opens templates and photos of the watch-list."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError
from gateway.matching import Candidate
from gateway.vision.child import Outlet, UnexpectedMessageError
from gateway.vision.child.hardening import resident_megabytes
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.gallery.calibrator import Calibrator
from gateway.vision.gallery.enrolment import PhotoRefusedError, Portrait, read_portrait
from gateway.vision.gallery.keeper import GalleryKeeper
from gateway.vision.gallery.photo import NotAnImageError, Photo, read_photo
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.thresholds import ThresholdBook
from gateway.wire import (
    CalibratedThresholds,
    CalibrationReply,
    CalibrationRequest,
    EmbedReply,
    EmbedRequest,
    GalleryRows,
    Heartbeat,
    Hello,
    IdentifyReply,
    IdentifyRequest,
    PersonDistance,
    PhotoReply,
    PhotoRequest,
    PictureReply,
    PictureRequest,
    Ready,
    Received,
    ReembedReply,
    ReembedRequest,
)

_LOG = logging.getLogger(__name__)
_LONGEST_SIDE = 640
_HOG_UPSAMPLE = 1
_MOST_LOOK_ALIKES = 5
# Two photos of two entries nearer than this are likely of one person.
_LOOK_ALIKE = 0.55
# Two photos of one person are farther apart than rounding; nearer ones are one photo.
_THE_SAME = 1e-5


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is there once the models are loaded."""

    tools: FaceTools
    keeper: GalleryKeeper


class GalleryRole:
    """Builds the shared gallery and answers about photos, one thing after the other.

    Args:
        hello: the parent's first message, with the people key.
        outlet: the way to the parent.
    """

    def __init__(self, hello: Hello, outlet: Outlet) -> None:
        self._hello = hello
        self._outlet = outlet
        self._seals = PersonSeals(hello.people_key)
        self._desk: _Desk | None = None
        self._noticed = False
        self._calibrator = Calibrator(hello.matching)
        self._thresholds = ThresholdBook(hello.matching)

    async def open(self) -> Ready:
        """Load detector, aligner and embedder."""
        desk = self._desk = await asyncio.to_thread(self._load)
        detector, model = desk.tools.detector.name, desk.tools.embedder.fingerprint
        return Ready(worker=self._hello.worker, detail=desk.tools.told, detector=detector, model=model)

    def _load(self) -> _Desk:
        tools = open_tools(
            self._hello.matching,
            Path(self._hello.models_directory),
            longest_side=_LONGEST_SIDE,
            hog_upsample=_HOG_UPSAMPLE,
        )
        return _Desk(tools, GalleryKeeper(self._seals, tools.embedder.fingerprint, tools.embedder.dimension))

    async def handle(self, received: Received) -> None:
        """Take a chunk of the list, or answer a request; the work is done in a thread."""
        desk = self._desk
        if desk is None:
            raise UnexpectedMessageError("a message came before the gallery child was ready")
        match received.message:
            case GalleryRows() as rows:
                await self._take(desk, rows)
            case EmbedRequest() as request:
                await self._outlet.send(await asyncio.to_thread(self._embed, desk, request))
            case IdentifyRequest() as request:
                await self._outlet.send(await asyncio.to_thread(self._identify, desk, request))
            case PhotoRequest() as request:
                await self._outlet.send(await asyncio.to_thread(self._open_photo, request))
            case CalibrationRequest() as request:
                await self._outlet.send(await asyncio.to_thread(self._calibrate, desk, request))
            case CalibratedThresholds() as told:
                self._thresholds.apply(told)
            case ReembedRequest() as request:
                await self._outlet.send(await asyncio.to_thread(self._reembed, desk, request))
            case other:
                raise UnexpectedMessageError(f"a gallery child does not take {type(other).__name__}")

    async def _take(self, desk: _Desk, rows: GalleryRows) -> None:
        built = await asyncio.to_thread(desk.keeper.take, rows)
        if built is None:
            return
        await self._outlet.send(built.snapshot, (built.memory.descriptor,))

    def _embed(self, desk: _Desk, request: EmbedRequest) -> EmbedReply:
        try:
            photo = read_photo(request.image)
            portrait = self._portrait(desk, photo)
        except NotAnImageError as error:
            return EmbedReply(request=request.request, refusal="not_an_image", detail=error.what)
        except PhotoRefusedError as error:
            return EmbedReply(request=request.request, refusal=error.reason, detail=error.what, quality=error.quality)
        others = self._look_alikes(desk, portrait, request.person)
        if others:
            return EmbedReply(
                request=request.request,
                refusal="look_alike",
                detail=f"the face is like that of another entry (distance {others[0].distance:.2f})",
                quality=portrait.quality,
                look_alikes=others,
            )
        own_distance = desk.keeper.own_distance(request.person, portrait.vector)
        if own_distance is not None and own_distance < _THE_SAME:
            detail = "this very photo is of the entry already"
            return EmbedReply(request=request.request, refusal="photo_twice", detail=detail, quality=portrait.quality)
        return self._seal(desk, request, photo, portrait, own_distance)

    def _portrait(self, desk: _Desk, photo: Photo, *, judged: bool = True) -> Portrait:
        """The face of a photo; with the first one it is said, once, what the detector is blind to."""
        if desk.tools.notice and not self._noticed:
            self._noticed = True
            _LOG.warning("%s", desk.tools.notice)
        return read_portrait(photo, desk.tools, judged=judged)

    def _seal(
        self, desk: _Desk, request: EmbedRequest, photo: Photo, portrait: Portrait, own_distance: float | None
    ) -> EmbedReply:
        fingerprint = desk.tools.embedder.fingerprint
        try:
            seal = self._seals.for_person(request.person, request.wrapped_key)
        except GatewayError as error:
            _LOG.error("the key of person %s cannot be opened: %s", request.person, error)
            return EmbedReply(request=request.request, refusal="key_unusable", detail="the person's key does not open")
        return EmbedReply(
            request=request.request,
            quality=portrait.quality,
            wrapped_key=seal.wrapped_key,
            template=seal.seal_template(request.photo, fingerprint, portrait.vector.astype("<f4").tobytes()),
            sealed_photo=seal.seal_photo(request.photo, photo.as_jpeg()),
            fingerprint=fingerprint,
            own_distance=own_distance,
            threshold=self._thresholds.of("", desk.keeper.people).full,
            digest=seal.digest(request.image),
        )

    def _look_alikes(self, desk: _Desk, portrait: Portrait, person: str) -> tuple[PersonDistance, ...]:
        near = desk.keeper.near(portrait.vector, _LOOK_ALIKE, _MOST_LOOK_ALIKES + 1)
        return _distances(each for each in near if each.person != person)[:_MOST_LOOK_ALIKES]

    def _identify(self, desk: _Desk, request: IdentifyRequest) -> IdentifyReply:
        try:
            portrait = self._portrait(desk, read_photo(request.image))
        except NotAnImageError as error:
            return IdentifyReply(request=request.request, refusal="not_an_image", detail=error.what)
        except PhotoRefusedError as error:
            return IdentifyReply(
                request=request.request, refusal=error.reason, detail=error.what, quality=error.quality
            )
        return IdentifyReply(
            request=request.request,
            quality=portrait.quality,
            candidates=_distances(desk.keeper.near(portrait.vector, limit=max(1, request.limit))),
            threshold=self._thresholds.of("", desk.keeper.people).full,
            revision=desk.keeper.revision,
        )

    def _calibrate(self, desk: _Desk, request: CalibrationRequest) -> CalibrationReply:
        return self._calibrator.answer(request, desk.keeper, desk.tools.embedder.fingerprint)

    def _open_photo(self, request: PhotoRequest) -> PhotoReply:
        try:
            seal = self._seals.for_person(request.person, request.wrapped_key)
            return PhotoReply(request=request.request, jpeg=seal.open_photo(request.photo, request.sealed_photo))
        except GatewayError as error:
            return PhotoReply(request=request.request, refusal=error.what)

    def _reembed(self, desk: _Desk, request: ReembedRequest) -> ReembedReply:
        try:
            seal = self._seals.for_person(request.person, request.wrapped_key)
            photo = read_photo(seal.open_photo(request.photo, request.sealed_photo))
            portrait = self._portrait(desk, photo, judged=False)
        except (NotAnImageError, PhotoRefusedError) as error:
            reason = error.reason if isinstance(error, PhotoRefusedError) else "not_an_image"
            return ReembedReply(request=request.request, refusal=reason, detail=error.what)
        except GatewayError as error:
            return ReembedReply(request=request.request, refusal="key_unusable", detail=error.what)
        fingerprint = desk.tools.embedder.fingerprint
        return ReembedReply(
            request=request.request,
            quality=portrait.quality,
            template=seal.seal_template(request.photo, fingerprint, portrait.vector.astype("<f4").tobytes()),
            fingerprint=fingerprint,
        )

    async def picture(self, request: PictureRequest) -> PictureReply:
        """It has no camera."""
        return PictureReply(request=request.request, camera=request.camera, refusal="the gallery child has no camera")

    def heartbeat(self) -> Heartbeat:
        """Memory and revision."""
        return Heartbeat(
            worker=self._hello.worker,
            resident_megabytes=resident_megabytes(),
            list_revision=self._desk.keeper.revision if self._desk else 0,
        )

    async def close(self) -> None:
        """Nothing to stop: threads end with their request."""


def _distances(candidates: Iterable[Candidate]) -> tuple[PersonDistance, ...]:
    return tuple(PersonDistance(person=each.person, distance=round(each.distance, 4)) for each in candidates)
