"""Drops matches of people who are no longer on the list, with their crops and clips."""

import logging
from collections import deque
from collections.abc import Callable

from gateway.events import Event, FaceMatched

_LOG = logging.getLogger(__name__)
# A clip is told of for half a minute; a camera warns of a person once in a cool-down.
_MOST_REMEMBERED = 1000


class OutdatedMatches:
    """Judges what children find by an old list: they compare with their last one while the gallery child is away.

    Args:
        is_outdated: whether a match's person was on the list that it was compared with and is not any more.
    """

    def __init__(self, is_outdated: Callable[[FaceMatched], bool]) -> None:
        self._is_outdated = is_outdated
        self._events: deque[str] = deque(maxlen=_MOST_REMEMBERED)

    def note(self, event: Event) -> bool:
        """Whether an event is such a match; its crop and its clip will be known by its id."""
        if not (isinstance(event, FaceMatched) and self._is_outdated(event)):
            return False
        self._events.append(event.id)
        _LOG.info("camera %s: a match of somebody who is no longer on the list is dropped", event.camera)
        return True

    def __contains__(self, event: str) -> bool:
        return event in self._events
