"""What a camera itself has recorded (ONVIF Profile G): how far it reaches, and where it is played.

Sources: ONVIF Recording Search Service (search.wsdl), ONVIF Replay Control Service (replay.wsdl).
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import islice
from typing import Protocol, TypeVar

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.caller import SoapCaller
from gateway.cameras.description import CameraDescription
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.soap import FaultError, descendants, outermost, text_of
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.errors import PermanentError

SEARCH = "http://www.onvif.org/ver10/search/wsdl"
REPLAY = "http://www.onvif.org/ver10/replay/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_MOST_RECORDINGS = 100
_MOST_ROUNDS = 4
_LONGEST_TEXT = 1_024
_YEARS = range(1971, 9999)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_NEVER = datetime.min.replace(tzinfo=UTC)
_OVER = frozenset({"Completed", "Unknown"})
_GONE = frozenset({"Removing", "Removed"})

Said = TypeVar("Said")
_Period = tuple[datetime | None, datetime | None, int]


class Turn(Protocol):
    """Runs a blocking request, its reading with it; raises what that raises, and CameraError where it may not be."""

    def __call__(self, request: Callable[[], Said], /) -> Awaitable[Said]:
        """What the request returns."""
        ...


@dataclass(frozen=True, slots=True)
class OwnRecording:
    """What a camera has recorded itself.

    Attributes:
        begins, ends: of all that is there, aware, by the camera's own clock; None where nothing is recorded, or the
            camera does not say.
        recordings: how many there are.
        replay: RTSP address at which this camera's own is played, without credentials; None if there is none, or it
            cannot be told whose recording it is.
        clock_offset: how far the camera's clock is ahead of ours.
    """

    begins: datetime | None
    ends: datetime | None
    recordings: int
    replay: str | None = None
    clock_offset: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Found:
    token: str
    source: str
    named: str
    begins: datetime | None
    ends: datetime | None
    goes_on: bool


class Recordings:
    """Asks one camera's search and replay services, each request in a turn of its own: a siren waits for one at most.

    Answers are read in the turn, too: a megabyte of elements takes seconds, in which the loop has presses to carry.

    Args:
        caller: sends the requests.
        turn: runs a request when it is its turn.
        services: addresses by namespace, as the camera told them last.
        rehoster: moves the address of the replay to where the camera is.
    """

    def __init__(
        self, caller: SoapCaller, turn: Turn, services: Callable[[], Mapping[str, str]], rehoster: Rehoster
    ) -> None:
        self._caller = caller
        self._turn = turn
        self._services = services
        self._rehoster = rehoster

    async def own(self, known: CameraDescription) -> OwnRecording:
        """How far it reaches, by GetRecordingSummary, and where it is played.

        The summary is of all recordings. Where it is not known, or others' are among them, each is looked at.

        Raises:
            CameraError: `NO_RECORDING` if the camera has no search service or that cannot tell; other states as they
                are.
        """
        if SEARCH not in self._services():
            raise self._missing("the camera names no recording search service")
        found, refusal = await self._find_or_refusal()
        told = await self._summary()
        if told is None and refusal:
            raise self._missing(f"it cannot be searched: {refusal}")
        own = _of_camera(found, {text for each in known.profiles for text in (each.token, each.name)})
        is_summed_up = told is not None and told[2] and not 0 < len(own) < len(found)
        begins, ends, count = told if told is not None and is_summed_up else _reach(own or found)
        return OwnRecording(begins, ends, count, await self._replay(own), self._caller.offset.value)

    def _missing(self, what: str) -> CameraError:
        return camera_error(CameraState.NO_RECORDING, what, where=self._caller.where)

    async def _summary(self) -> _Period | None:
        """None where the camera does not know it, or tells times that are none of a recording that it counts."""
        try:
            return await self._ask(SEARCH, "GetRecordingSummary", _summed_up)
        except FaultError:
            return None

    async def _find_or_refusal(self) -> tuple[tuple[_Found, ...], str]:
        try:
            return await self._find(), ""
        except FaultError as fault:
            return (), fault.reason

    async def _find(self) -> tuple[_Found, ...]:
        scope = f"<q:Scope/><q:MaxMatches>{_MOST_RECORDINGS}</q:MaxMatches><q:KeepAliveTime>PT10S</q:KeepAliveTime>"
        search = await self._ask(SEARCH, "FindRecordings", lambda said: _text(said, "SearchToken"), scope)
        if not search:
            raise FaultError((), "it began no search")
        try:
            return tuple(await self._results(search))
        finally:
            with suppress(FaultError, CameraError):  # it ends by itself after ten seconds
                await self._ask(SEARCH, "EndSearch", _unread, f"<q:SearchToken>{escape(search)}</q:SearchToken>")

    async def _results(self, search: str) -> list[_Found]:
        """In rounds of two seconds at most: a slow memory card is not waited for."""
        asked = f"<q:SearchToken>{escape(search)}</q:SearchToken><q:WaitTime>PT2S</q:WaitTime>"
        results: list[_Found] = []
        for _ in range(_MOST_ROUNDS):
            found, state = await self._ask(SEARCH, "GetRecordingSearchResults", _found_in, asked)
            results += found
            if state in _OVER:
                break
        return results

    async def _replay(self, own: Collection[_Found]) -> str | None:
        """Where the newest is played; None if there is none, no replay service, or that tells no address."""
        if not own or REPLAY not in self._services():
            return None
        token = max(own, key=lambda each: (each.goes_on, each.ends or _NEVER)).token
        setup = (
            f'<q:StreamSetup xmlns:t="{_SCHEMA}"><t:Stream>RTP-Unicast</t:Stream>'
            "<t:Transport><t:Protocol>RTSP</t:Protocol></t:Transport></q:StreamSetup>"
        )
        try:
            recording = f"<q:RecordingToken>{escape(token)}</q:RecordingToken>"
            said = await self._ask(REPLAY, "GetReplayUri", lambda said: _text(said, "Uri"), f"{setup}{recording}")
            address = self._rehoster.stream(said)
        except (FaultError, PermanentError) as error:
            if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                raise
            return None
        return address if address.startswith(("rtsp://", "rtsps://")) else None

    async def _ask(self, service: str, operation: str, read: Callable[[Element], Said], arguments: str = "") -> Said:
        url = self._services()[service]
        asked = f'<q:{operation} xmlns:q="{service}">{arguments}</q:{operation}>'
        return await self._turn(lambda: read(self._caller.call(url, asked)))


def _unread(_said: Element) -> None:
    """An answer that tells nothing."""


def _text(said: Element, name: str) -> str:
    return text_of(said, name)[:_LONGEST_TEXT]


def _summed_up(said: Element) -> _Period | None:
    begins, ends = _moment(_text(said, "DataFrom")), _moment(_text(said, "DataUntil"))
    count = _number(_text(said, "NumberRecordings"))
    if count and (begins is None or ends is None or ends < begins):
        return None
    return (begins, ends, count) if count else (None, None, 0)


def _found_in(said: Element) -> tuple[list[_Found], str]:
    """The recordings of an answer, and the state of the search."""
    found = [_found(each) for each in islice(outermost(said, "RecordingInformation"), _MOST_RECORDINGS)]
    return [each for each in found if each is not None], _text(said, "SearchState")


def _found(said: Element) -> _Found | None:
    """A recording with pictures; None without token, of sound alone, or of what is being removed."""
    token, kinds = _text(said, "RecordingToken"), [_text(each, "TrackType") for each in descendants(said, "Track")]
    if not token or _text(said, "RecordingStatus") in _GONE or (any(kinds) and "Video" not in kinds):
        return None
    return _Found(
        token=token,
        source=_text(said, "SourceId"),
        named=" ".join(_text(said, name) for name in ("SourceId", "Name", "Address")),
        begins=_moment(_text(said, "EarliestRecording")),
        ends=_moment(_text(said, "LatestRecording")),
        goes_on=_text(said, "RecordingStatus") == "Recording",
    )


def _reach(found: Collection[_Found]) -> tuple[datetime | None, datetime | None, int]:
    begins = [each.begins for each in found if each.begins is not None]
    ends = [each.ends for each in found if each.ends is not None]
    return min(begins, default=None), max(ends, default=None), len(found)


def _of_camera(found: Collection[_Found], names: Collection[str]) -> Collection[_Found]:
    """This camera's: a recorder has those of others, too, and theirs must not be taken for its own. May be none."""
    if len({each.source for each in found}) > 1:
        found = [each for each in found if any(name and name in each.named.split() for name in names)]
    return found if len({each.source for each in found}) == 1 else ()


def _moment(text: str) -> datetime | None:
    """An xs:dateTime; one without zone is UTC, as ONVIF has all times; None if it is none, or before the year 1971."""
    try:
        said = datetime.fromisoformat(text)
        said = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return said if said.year in _YEARS else None


def _number(text: str) -> int:
    return int(text) if _COUNT.fullmatch(text) else 0
