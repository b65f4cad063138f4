"""The guards' posts: which browsers are enrolled, and who is there now and can hear."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import new_id
from gateway.storage import Incident, Post, PostStore

_LIVE_SECONDS = 30.0
_GRACE_SECONDS = 20.0
_TOUCH_SECONDS = 60.0
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A console that said that it is there.

    Attributes:
        session: hash of the sign-in.
        post: id of the enrolled post; empty if the browser is none.
        user: who is signed in.
        able: whether that account may acknowledge.
        sound: whether the browser can sound.
        seen: when it said so last; `monotonic` is the same moment.
    """

    session: str
    post: str
    user: str
    able: bool
    sound: bool
    seen: datetime
    monotonic: float


class PostBook:
    """All posts of one gateway.

    Args:
        store: keeps who is enrolled.
        clock: a console is there for 30 s after it said so, by the monotonic clock.
    """

    def __init__(self, store: PostStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._posts: dict[str, Post] = {}
        self._present: dict[str, Presence] = {}
        self._began = clock.monotonic()

    async def load(self) -> None:
        """Take up who is enrolled."""
        self._posts = {each.id: each for each in await self._store.posts()}
        self._began = self._clock.monotonic()

    def of_token(self, token: str) -> Post | None:
        """The post whose browser holds a token."""
        key = hashlib.sha256(token.encode()).hexdigest() if token else ""
        return next((each for each in self._posts.values() if each.key == key), None)

    def all(self) -> tuple[Post, ...]:
        """All that are enrolled, by name."""
        return tuple(sorted(self._posts.values(), key=lambda each: each.name))

    def get(self, identity: str) -> Post:
        """One post.

        Raises:
            PermanentError: there is none of that id.
        """
        if identity not in self._posts:
            raise PermanentError("there is no such post", where=f"post {identity}", code="no_such_post")
        return self._posts[identity]

    async def enrol(self, token: str, *, name: str, place: str, discreet_safe: bool, by: str) -> Post:
        """Make the browser that holds `token` a post."""
        if len(self._posts) >= _MOST:
            raise PermanentError(
                f"{_MOST} posts are enrolled", remedy="Remove those that are no more.", code="too_many_posts"
            )
        key = hashlib.sha256(token.encode()).hexdigest()
        now = self._clock.now()
        made = Post(
            id=new_id(), key=key, name=name, place=place, discreet_safe=discreet_safe, created=now, created_by=by
        )
        await self._store.put(made)
        self._posts[made.id] = made
        return made

    async def change(self, identity: str, *, name: str | None, place: str | None, discreet_safe: bool | None) -> Post:
        """Change a post; None leaves as it is.

        Raises:
            PermanentError: there is none of that id.
        """
        changes = {"name": name, "place": place, "discreet_safe": discreet_safe}
        known = {key: value for key, value in changes.items() if value is not None}
        changed = replace(self.get(identity), **known)  # type: ignore[arg-type]  # names and types as in Post
        await self._store.put(changed)
        self._posts[identity] = changed
        return changed

    async def remove(self, identity: str) -> None:
        """It is a post no longer.

        Raises:
            PermanentError: there is none of that id.
        """
        self.get(identity)
        await self._store.remove(identity)
        self._posts.pop(identity, None)

    async def heard_from(self, session: str, *, user: str, able: bool, post: Post | None, sound: bool) -> None:
        """A console said that it is there."""
        now, moment = self._clock.monotonic(), self._clock.now()
        self._present[session] = Presence(
            session=session,
            post=post.id if post else "",
            user=user,
            able=able,
            sound=sound,
            seen=moment,
            monotonic=now,
        )
        self._forget_old(now)
        known = self._posts.get(post.id) if post is not None else None  # it may have changed since the request came
        if known is not None and (known.seen is None or (moment - known.seen).total_seconds() > _TOUCH_SECONDS):
            self._posts[known.id] = replace(known, seen=moment)
            await self._store.touch(known.id, moment)

    def _forget_old(self, now: float) -> None:
        self._present = {key: each for key, each in self._present.items() if now - each.monotonic <= _LIVE_SECONDS}

    def gone(self, session: str) -> None:
        """Somebody signed out."""
        self._present.pop(session, None)

    def present(self) -> tuple[Presence, ...]:
        """Every console that is there now."""
        self._forget_old(self._clock.monotonic())
        return tuple(self._present.values())

    def attends(self, incident: Incident) -> bool:
        """Whether a console is there that can sound it; for a discreet one, a post that may show it.

        In the first seconds of a run, while consoles come back, nobody is counted out.
        """
        if self._clock.monotonic() - self._began < _GRACE_SECONDS:
            return True
        return any(each.able and self._serves(each, incident) for each in self.present())

    def _serves(self, presence: Presence, incident: Incident) -> bool:
        if not incident.discreet:
            return presence.sound
        post = self._posts.get(presence.post)
        return post is not None and post.discreet_safe
