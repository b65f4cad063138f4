"""Changes of the watch-list: photo to template in the gallery child, one transaction, a journal entry, every camera."""

from dataclasses import replace
from datetime import datetime

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import EvidencePurged, Severity, WatchListChanged, gateway_source, new_id
from gateway.storage import Evidence, Person, SealedPhoto, Stores
from gateway.wire import EmbedReply, IdentifyReply
from gateway.workers import Workers


class PhotoRefusedError(PermanentError):
    """A photo that cannot be enrolled.

    Attributes:
        code: not_an_image, no_face, several_faces, too_small, blurred, no_vector, look_alike or
            photo_twice.
        quality: parts of the face's quality, where a face was found.
        look_alikes: people of the list that it is near to, with the distance.
    """

    def __init__(self, reply: EmbedReply | IdentifyReply) -> None:
        self.code = reply.refusal
        self.quality = dict(reply.quality)
        near = reply.look_alikes if isinstance(reply, EmbedReply) else ()
        self.look_alikes = [{"person": each.person, "distance": round(each.distance, 3)} for each in near]
        super().__init__(reply.detail or reply.refusal, where="photo", remedy=_REMEDIES.get(reply.refusal, ""))


_REMEDIES = {
    "not_an_image": "Give a JPEG or PNG file.",
    "no_face": "Give a photo that shows the face from the front.",
    "several_faces": "Cut the photo so that it shows one person.",
    "too_small": "Give a larger photo: the face needs about 80 pixels.",
    "blurred": "Give a sharp, evenly lit photo.",
    "no_vector": "The face network fails on this face: try another photo, or another network (matching.embedder).",
    "photo_twice": "Give another photo of this person.",
    "look_alike": "Is this person on the list already? Add the photo to that entry, or remove the other.",
}


class WatchList:
    """The list as the interface, the demo and the clock of expiry change it."""

    def __init__(self, site: str, stores: Stores, workers: Workers, clock: Clock) -> None:
        self._site = site
        self._stores = stores
        self._workers = workers
        self._clock = clock
        self._noticed = 0

    async def notice(self) -> None:
        """Bring the list to the cameras if a command changed it beside this process."""
        revision = await self._stores.watchlist.revision()
        if revision != self._noticed:
            self._noticed = revision
            if self._workers.gallery().revision < revision:
                self._workers.watch_list_changed()

    async def add(self, person: Person, actor: str) -> int:
        """Put somebody on the list; the revision that this made."""
        revision = await self._stores.watchlist.add(person)
        await self._changed(revision, "added", person.id, actor)
        return revision

    async def update(self, person: Person, actor: str) -> int:
        """Change an entry; the revision that this made."""
        revision = await self._stores.watchlist.update(replace(person, updated=self._clock.now()))
        await self._changed(revision, "updated", person.id, actor)
        return revision

    async def remove(self, person: str, actor: str) -> int:
        """Destroy an entry: photos, templates, keys and pictures; the revision that this made."""
        purged = await self._stores.evidence.purge_person(person)
        revision = await self._stores.watchlist.remove(person)
        await self._changed(revision, "removed", person, actor)
        await self.record_purged(purged, "removed from the watch-list")
        return revision

    async def add_photo(self, person: str, image: bytes, actor: str) -> SealedPhoto:
        """Enrol a photo; one that shows another face than the entry's others is taken, and told.

        Raises:
            PhotoRefusedError: it cannot be used, and why.
            PermanentError: the entry has that very photo since a moment ago (``photo_twice``).
            WorkerAwayError: the gallery child is away.
        """
        photo = new_id()
        wrapped = await self._stores.watchlist.wrapped_key(person)
        reply = await self._workers.embed(person=person, photo=photo, wrapped_key=wrapped, image=image)
        if reply.refusal:
            raise PhotoRefusedError(reply)
        sealed = SealedPhoto(
            id=photo,
            person=person,
            fingerprint=reply.fingerprint,
            quality=reply.quality,
            created=self._clock.now(),
            photo=reply.sealed_photo,
            template=reply.template,
            digest=reply.digest,
            own_distance=reply.own_distance,
            threshold=reply.threshold,
        )
        revision = await self._stores.watchlist.add_photo(sealed, reply.wrapped_key or wrapped)
        await self._changed(revision, "photo_added", person, actor)
        return sealed

    async def remove_photo(self, person: str, photo: str, actor: str) -> int:
        """Destroy a photo and its template; the revision that this made."""
        revision = await self._stores.watchlist.remove_photo(person, photo)
        await self._changed(revision, "photo_removed", person, actor)
        return revision

    async def photo(self, person: str, photo: str) -> bytes:
        """An enrolment photo as JPEG, opened by the gallery child.

        Raises:
            PermanentError: there is no such photo.
        """
        sealed = await self._stores.watchlist.photo(person, photo)
        if sealed is None:
            raise PermanentError("there is no such photo", where=f"photo {photo}", code="no_such_photo")
        wrapped = await self._stores.watchlist.wrapped_key(person)
        return await self._workers.open_photo(
            person=person, photo=photo, wrapped_key=wrapped, sealed_photo=sealed.photo
        )

    async def identify(self, image: bytes, limit: int) -> IdentifyReply:
        """Who on the list is near the face of a photo; nothing is kept.

        Raises:
            PhotoRefusedError: it cannot be used, and why.
        """
        reply = await self._workers.identify(image, limit)
        if reply.refusal:
            raise PhotoRefusedError(reply)
        return reply

    async def expire(self, now: datetime) -> None:
        """Take people whose time has come out of every gallery."""
        for person, revision in await self._stores.watchlist.expire(now):
            await self._changed(revision, "expired", person, "")

    async def record_purged(self, purged: list[Evidence], reason: str) -> None:
        """Journal that evidence was destroyed."""
        for each in purged:
            event = EvidencePurged(
                id=new_id(),
                source=gateway_source(self._site),
                subject=each.id,
                time=self._clock.now(),
                evidence=each.id,
                match=each.event,
                reason=reason,
            )
            await self._stores.journal.append(event)

    async def _changed(self, revision: int, change: str, person: str, actor: str) -> None:
        self._workers.watch_list_changed()
        event = WatchListChanged(
            id=new_id(),
            source=gateway_source(self._site),
            subject=person,
            time=self._clock.now(),
            severity=Severity.INFO,
            revision=revision,
            change=change,
            person=person,
            actor=actor,
        )
        await self._stores.journal.append(event)
