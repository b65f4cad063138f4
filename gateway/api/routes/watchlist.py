"""The watch-list: people, photos, and who a photo is like."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Response, UploadFile
from pydantic import AwareDatetime, Field, StringConstraints

from gateway.api.auth import Admin, Guard, Parts, record
from gateway.api.figures import told_threshold
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.routes.session import Body
from gateway.api.watchlist import PhotoRefusedError
from gateway.events import new_id
from gateway.storage import Person, PhotoInfo, SealedPhoto

router = APIRouter(prefix="/watchlist")
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Category = Annotated[str, StringConstraints(pattern=r"^[\p{L}\p{N}][\p{L}\p{N} _-]{0,39}$", strip_whitespace=True)]
"""``wanted``, ``barred``, ``threat``, ``missing``, which the console translates, or a label of the school's own."""
# Within what every time zone can express.
Expiry = Annotated[AwareDatetime, Field(gt=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))]
_MOST_BYTES = 12 * 1024 * 1024
_CANDIDATES = 10


class NewPerson(Body):
    """Somebody to be listed; reason, authority and expiry are what makes it lawful."""

    name: Text
    category: Category
    reason: Text
    authority: Text
    valid_until: Expiry
    notes: Annotated[str, StringConstraints(max_length=2000)] = ""


class PersonChange(Body):
    """What changes of an entry."""

    name: Text | None = None
    category: Category | None = None
    reason: Text | None = None
    authority: Text | None = None
    valid_until: Expiry | None = None
    notes: Annotated[str, StringConstraints(max_length=2000)] | None = None


def _shown(person: Person, now: datetime) -> dict[str, Any]:
    several = len(person.photos) > 1  # one that is left alone differs from nothing
    photos = [_shown_photo(each) | {"warnings": _warnings(each) if several else []} for each in person.photos]
    return {
        "id": person.id,
        "name": person.name,
        "category": person.category,
        "reason": person.reason,
        "authority": person.authority,
        "valid_until": person.valid_until,
        "expired": person.valid_until <= now,
        "notes": person.notes,
        "created": person.created,
        "updated": person.updated,
        "created_by": person.created_by,
        "photos": photos,
    }


def _shown_photo(photo: PhotoInfo) -> dict[str, Any]:
    return {"id": photo.id, "quality": photo.quality, "created": photo.created, "model": photo.fingerprint}


async def _person(parts: ApiParts, identity: str) -> Person:
    person = await parts.stores.watchlist.get(identity)
    if person is None:
        raise Problem(404, "there is nobody of that id", code="no_such_person", where=f"person {identity}")
    return person


def _applied(parts: ApiParts, revision: int) -> dict[str, Any]:
    gallery = parts.workers.gallery()
    applied = {name: reached >= revision for name, reached in gallery.applied.items()}
    done = gallery.revision >= revision and all(applied.values())  # a child that starts now would map an older one
    return {"revision": revision, "applied": done, "workers": applied}


@router.get("/people")
async def people(_caller: Guard, parts: Parts) -> dict[str, Any]:
    """Everybody on the list, expired ones too."""
    found = await parts.stores.watchlist.people()
    return {"items": [_shown(each, parts.clock.now()) for each in found]}


@router.post("/people", status_code=201)
async def add(body: NewPerson, caller: Admin, parts: Parts) -> dict[str, Any]:
    """List somebody; photos come with a second call."""
    now = parts.clock.now()
    if body.valid_until <= now:
        remedy = "Give a time that is to come."
        raise Problem(422, "valid_until is past", code="expiry_past", where="valid_until", remedy=remedy)
    person = Person(id=new_id(), created=now, updated=now, created_by=caller.name, **body.model_dump())
    revision = await parts.watchlist.add(person, caller.name)
    await record(parts, caller.name, "added person", person.id, f"{body.category}; {body.authority}")
    return _shown(person, now) | _applied(parts, revision)


@router.get("/people/{identity}")
async def person(identity: str, _caller: Guard, parts: Parts) -> dict[str, Any]:
    """One entry, and whether every camera has the newest list."""
    found = await _person(parts, identity)
    return _shown(found, parts.clock.now()) | _applied(parts, await parts.stores.watchlist.revision())


@router.patch("/people/{identity}")
async def change(identity: str, body: PersonChange, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Change an entry."""
    found = await _person(parts, identity)
    changes = body.model_dump(exclude_none=True)
    changed = Person(**({name: getattr(found, name) for name in Person.__dataclass_fields__} | changes))
    revision = await parts.watchlist.update(changed, caller.name)
    await record(parts, caller.name, "changed person", identity, ", ".join(sorted(changes)))
    return _shown(changed, parts.clock.now()) | _applied(parts, revision)


@router.delete("/people/{identity}")
async def remove(identity: str, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Destroy an entry with all its photos, templates, keys and pictures; says which children have let go."""
    revision = await parts.watchlist.remove(identity, caller.name)
    await record(parts, caller.name, "removed person", identity)
    await parts.workers.applied(revision, 5.0)
    return {"id": identity, "removed": True} | _applied(parts, revision)


async def _image(photo: UploadFile) -> bytes:
    image = await photo.read(_MOST_BYTES + 1)
    if len(image) > _MOST_BYTES:
        most = _MOST_BYTES // 2**20
        raise Problem(413, f"the photo is larger than {most} MB", code="photo_too_large", megabytes=most, where="photo")
    return image


def _refusal(error: PhotoRefusedError) -> Problem:
    return Problem(
        422,
        error.what,
        code=error.code,
        remedy=error.remedy,
        quality=error.quality or None,
        look_alikes=error.look_alikes or None,
    )


@router.post("/people/{identity}/photos", status_code=201)
async def add_photo(identity: str, photo: Annotated[UploadFile, File()], caller: Admin, parts: Parts) -> dict[str, Any]:
    """Enrol a photo; 422 says why it is refused, `warnings` what is odd about one that was taken; they stay with it.

    Each warning has `code`, `detail` and `remedy`; `photo_differs` also `distance` and `threshold`: the face is farther
    from every other photo of the entry than a match may be.
    """
    await _person(parts, identity)
    try:
        sealed = await parts.watchlist.add_photo(identity, await _image(photo), caller.name)
    except PhotoRefusedError as error:
        raise _refusal(error) from None
    warnings = _warnings(sealed)
    said = f"{sealed.id}; {warnings[0]['detail']}" if warnings else sealed.id
    await record(parts, caller.name, "added photo", identity, said)
    revision = await parts.stores.watchlist.revision()
    body = {"id": sealed.id, "quality": sealed.quality, "model": sealed.fingerprint, "warnings": warnings}
    return body | _applied(parts, revision)


def _warnings(photo: SealedPhoto | PhotoInfo) -> list[dict[str, Any]]:
    """What was odd about a photo when it was added: a camera would take it for somebody else than the others show."""
    if photo.own_distance is None or photo.threshold is None or photo.own_distance <= photo.threshold:
        return []
    distance, threshold = round(photo.own_distance, 3), told_threshold(photo.threshold)
    detail = f"this photo differs from the other photos of this person (distance {distance}, threshold {threshold})"
    remedy = "Check that it is the same person; remove the photo if not."
    return [{"code": "photo_differs", "detail": detail, "remedy": remedy, "distance": distance, "threshold": threshold}]


@router.get(
    "/people/{identity}/photos/{photo}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}}
)
async def show_photo(identity: str, photo: str, caller: Guard, parts: Parts) -> Response:
    """An enrolment photo."""
    image = await parts.watchlist.photo(identity, photo)
    await record(parts, caller.name, "saw photo", identity, photo)
    return Response(image, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.delete("/people/{identity}/photos/{photo}")
async def remove_photo(identity: str, photo: str, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Destroy a photo and its template."""
    revision = await parts.watchlist.remove_photo(identity, photo, caller.name)
    await record(parts, caller.name, "removed photo", identity, photo)
    return {"id": photo, "removed": True} | _applied(parts, revision)


@router.post("/identify")
async def identify(photo: Annotated[UploadFile, File()], caller: Admin, parts: Parts) -> dict[str, Any]:
    """Who on the list a photo is like; nothing is stored but that somebody asked."""
    try:
        reply = await parts.watchlist.identify(await _image(photo), _CANDIDATES)
    except PhotoRefusedError as error:
        raise _refusal(error) from None
    await record(parts, caller.name, "identified a photo")
    candidates = [{"person": each.person, "distance": each.distance} for each in reply.candidates]
    return {
        "candidates": candidates,
        "threshold": told_threshold(reply.threshold),
        "quality": dict(reply.quality),
        "revision": reply.revision,
    }
