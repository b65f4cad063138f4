"""Makes the watch-list's templates anew from the stored photos, person by person."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.cli.status import fetch_readiness
from gateway.errors import PermanentError, TransientError
from gateway.settings import Settings
from gateway.storage import NewTemplate, Person, WatchListDesk
from gateway.workers import LoneGallery

_PATIENCE_SECONDS = 45.0
_ASK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Failure:
    """A photo of which no template could be made; nothing of its person was changed."""

    person: str
    name: str
    photo: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What was done.

    Attributes:
        model: fingerprint of the model that the templates are of now.
        people, templates: how many were changed.
        current: templates that were of this model already and stayed; `current_people`: of how many people.
        replaced: per fingerprint of the old model, how many templates were replaced.
    """

    model: str
    people: int = 0
    templates: int = 0
    current: int = 0
    current_people: int = 0
    replaced: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


async def reembed_all(
    desk: WatchListDesk, gallery: LoneGallery, tell: Callable[[str], None], *, everything: bool
) -> Outcome:
    """Go through everybody, expired people too, who can come back; the audit trail says how far that came.

    Args:
        desk: the watch-list.
        gallery: the child that opens photos and makes templates.
        tell: shows progress.
        everything: also what is of the model configured now already.

    A person's templates change all together or, if one photo fails, not at all.
    """
    outcome = Outcome(gallery.model)
    ended = "; it ended early"
    try:
        await _all_people(desk, gallery, outcome, tell, everything=everything)
        ended = ""
    finally:
        await _record(desk, outcome, ended)
    return outcome


async def _all_people(
    desk: WatchListDesk, gallery: LoneGallery, outcome: Outcome, tell: Callable[[str], None], *, everything: bool
) -> None:
    people = await desk.watchlist.people()
    all_of_them = [(person, _wanted(person, gallery.model, everything=everything)) for person in people]
    due = [(person, wanted) for person, wanted in all_of_them if wanted]
    kept = [stay for person, wanted in all_of_them if (stay := len(person.photos) - len(wanted))]
    outcome.current, outcome.current_people = sum(kept), len(kept)
    tell(f"Model {gallery.model}: {len(due)} of {len(people)} people to do.")
    for number, (person, wanted) in enumerate(due, start=1):
        done = await _one_person(desk, gallery, person, wanted, outcome)
        tell(f"{number} of {len(due)}: {person.name} ({person.id}): {done}")


async def _record(desk: WatchListDesk, outcome: Outcome, ended: str) -> None:
    done = f"{outcome.templates} templates of {outcome.people} people; {len(outcome.failures)} photos failed{ended}"
    await desk.audit.append(
        at=datetime.now(UTC),
        actor="command line",
        action="reembedded watch-list",
        subject=outcome.model,
        detail=done,
    )


def _wanted(person: Person, model: str, *, everything: bool) -> list[str]:
    return [photo.id for photo in person.photos if everything or photo.fingerprint != model]


async def _one_person(
    desk: WatchListDesk, gallery: LoneGallery, person: Person, wanted: Sequence[str], outcome: Outcome
) -> str:
    """Replace somebody's templates; says in words what came of it."""
    try:
        wrapped = await desk.watchlist.wrapped_key(person.id)
        made, failures = await _make(desk, gallery, person, wanted, wrapped)
        if failures:
            outcome.failures += failures
            return "left as it was: " + "; ".join(f"photo {each.photo}: {each.reason}" for each in failures)
        replaced = await desk.watchlist.replace_templates(person.id, made, wrapped)
    except PermanentError as error:
        if await desk.watchlist.get(person.id) is None:
            return "was removed meanwhile"
        outcome.failures.append(Failure(person.id, person.name, "", str(error)))
        return f"left as it was: {error}"
    _count(outcome, person, replaced)
    return f"{len(replaced)} template{'' if len(replaced) == 1 else 's'}"


async def _make(
    desk: WatchListDesk, gallery: LoneGallery, person: Person, wanted: Sequence[str], wrapped: bytes
) -> tuple[list[NewTemplate], list[Failure]]:
    """Somebody's new templates, and the photos that gave none."""
    made, failures = [], []
    for photo in wanted:
        sealed = await desk.watchlist.photo(person.id, photo)
        if sealed is None:
            continue  # removed meanwhile
        reply = await gallery.reembed(person=person.id, photo=photo, wrapped_key=wrapped, sealed_photo=sealed.photo)
        if reply.refusal:
            failures.append(Failure(person.id, person.name, photo, reply.detail or reply.refusal))
        else:
            quality = dict(reply.quality)
            made.append(
                NewTemplate(photo=photo, fingerprint=reply.fingerprint, quality=quality, template=reply.template)
            )
    return made, failures


def _count(outcome: Outcome, person: Person, replaced: Sequence[str]) -> None:
    outcome.people += 1 if replaced else 0
    outcome.templates += len(replaced)
    for photo in person.photos:
        if photo.id in replaced:
            outcome.replaced[photo.fingerprint] = outcome.replaced.get(photo.fingerprint, 0) + 1


async def check_running_model(settings: Settings, model: str) -> None:
    """Refuse to make templates that the running gateway would not compare with.

    Raises:
        PermanentError: it runs with another model, or does not say with which.
    """
    remedy = "Restart the gateway and run this again, or stop it first."
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not (running := await _running_model(settings)):
        if asyncio.get_running_loop().time() > deadline:
            raise PermanentError("the running gateway does not say which model it compares with", remedy=remedy)
        await asyncio.sleep(_ASK_SECONDS)
    if running != model:
        what = f"the running gateway compares with {running}, the configuration names {model} now"
        raise PermanentError(what, remedy=remedy)


async def _running_model(settings: Settings) -> str:
    """The model of the newest gallery that the running gateway built; empty while there is none."""
    try:
        body = await asyncio.to_thread(fetch_readiness, settings)
    except TransientError:
        return ""
    try:
        return str(body["watchlist"]["model"])
    except (KeyError, TypeError) as error:
        raise PermanentError("the running gateway is of another version", remedy="Stop it first.") from error
