"""The guards' posts: browsers that an administrator enrolled."""

from datetime import datetime
from typing import Any

from gateway.storage.incident_values import Post
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements

_SQL = load_statements("posts")


class PostStore:
    """Who is a post, kept over restarts; how posts are now is in memory alone."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def posts(self) -> list[Post]:
        """All posts by name."""
        return [_post(row) for row in await self._state.read(lambda c: c.execute(_SQL["posts"]).fetchall())]

    async def put(self, post: Post) -> None:
        """Add a post, or change its name, place and mark."""
        seen = text_of(post.seen) if post.seen else None
        created = text_of(post.created)
        row = (post.id, post.key, post.name, post.place, post.discreet_safe, created, post.created_by, seen)
        await self._state.write(lambda c: c.execute(_SQL["put"], row))

    async def touch(self, post: str, seen: datetime) -> None:
        """Note when it was there last."""
        await self._state.write(lambda c: c.execute(_SQL["touch"], (text_of(seen), post)))

    async def remove(self, post: str) -> None:
        """It is a post no longer."""
        await self._state.write(lambda c: c.execute(_SQL["remove"], (post,)))


def _post(row: tuple[Any, ...]) -> Post:
    identity, key, name, place, safe, created, created_by, seen = row
    return Post(
        id=identity,
        key=key,
        name=name,
        place=place,
        discreet_safe=bool(safe),
        created=moment_of(created),
        created_by=created_by,
        seen=moment_of(seen) if seen else None,
    )
