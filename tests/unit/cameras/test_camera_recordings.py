"""What a camera's search service answers, as cameras get it wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from harness.devices_bench import DESCRIBED
from lxml import etree

from gateway.cameras import CameraError, CameraState
from gateway.cameras.addresses import parse_onvif_url
from gateway.cameras.caller import SoapCaller
from gateway.cameras.recordings import REPLAY, SEARCH, Recordings
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.soap import FaultError, read_reply, request

TOKEN = "<SearchToken>1</SearchToken>"
TIMES = "<EarliestRecording>2026-01-01T00:00:00Z</EarliestRecording><LatestRecording>{}</LatestRecording>"


Said = TypeVar("Said")


@dataclass
class _Offset:
    value: timedelta = timedelta(0)


@dataclass
class Caller:
    """Answers operations with the XML of their body; those that it does not know with a fault."""

    answers: Mapping[str, str | list[str]]
    where: str = "cam"
    offset: _Offset = field(default_factory=_Offset)
    asked: list[str] = field(default_factory=list)
    turns: int = 0
    last: str = ""

    async def turn(self, call: Callable[[], Said]) -> Said:
        """Answers are read in the turn, off the loop: no element leaves it."""
        self.turns += 1
        said = call()
        assert not isinstance(said, etree._Element)
        return said

    def call(self, _url: str, operation: str, _header: str = "") -> etree._Element:
        name, self.last = etree.QName(etree.fromstring(operation)).localname, operation
        self.asked.append(name)
        answer = self.answers.get(name)
        if answer is None:
            raise FaultError(("ActionNotSupported",), "Optional Action Not Implemented")
        if isinstance(answer, list):
            answer = answer.pop(0)
        return read_reply(request(f"<{name}Response>{answer}</{name}Response>"))


def _recordings(**answers: Any) -> tuple[Recordings, Caller]:
    caller = Caller(answers)
    services = {SEARCH: "http://127.0.0.1/search", REPLAY: "http://127.0.0.1/replay"}
    rehoster = Rehoster(parse_onvif_url("onvif://127.0.0.1"))
    return Recordings(cast(SoapCaller, caller), caller.turn, lambda: services, rehoster), caller


def _found(token: str, ends: str = "2026-02-01T00:00:00Z", source: str = "s", more: str = "") -> str:
    return (
        f"<RecordingInformation><RecordingToken>{token}</RecordingToken><Source><SourceId>{source}</SourceId></Source>"
        f"{TIMES.format(ends)}{more}</RecordingInformation>"
    )


def _ended(*found: str) -> str:
    return f"<ResultList><SearchState>Completed</SearchState>{''.join(found)}</ResultList>"


async def test_a_summary_that_tells_nonsense_is_made_up_for_by_the_recordings() -> None:
    summary = (
        "<Summary><DataFrom>0000-00-00T00:00:00Z</DataFrom><DataUntil>x</DataUntil>"
        "<NumberRecordings>3</NumberRecordings></Summary>"
    )
    recordings, _ = _recordings(
        GetRecordingSummary=summary, FindRecordings=TOKEN, GetRecordingSearchResults=_ended(_found("a"))
    )
    own = await recordings.own(DESCRIBED)

    assert (own.begins, own.ends) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert own.recordings == 1


async def test_results_that_come_in_rounds_are_all_taken_and_the_search_is_ended() -> None:
    first = f"<ResultList><SearchState>Searching</SearchState>{_found('a')}</ResultList>"
    recordings, caller = _recordings(
        FindRecordings=TOKEN,
        GetRecordingSearchResults=[first, _ended(_found("b", "2026-03-01T08:00:00+08:00"))],
        EndSearch="",
        GetReplayUri="<Uri>rtsp://10.0.0.1:8554/b</Uri>",
    )
    own = await recordings.own(DESCRIBED)

    assert own.recordings == 2
    assert own.ends == datetime(2026, 3, 1, tzinfo=UTC)
    assert own.replay == "rtsp://127.0.0.1:8554/b"
    assert caller.asked.count("EndSearch") == 1
    assert caller.turns == len(caller.asked)  # a relay that is switched meanwhile waits for one request, not for all


async def test_a_search_without_end_is_left() -> None:
    searching = f"<ResultList><SearchState>Searching</SearchState>{_found('a')}</ResultList>"
    recordings, caller = _recordings(FindRecordings=TOKEN, GetRecordingSearchResults=searching)

    await recordings.own(DESCRIBED)
    assert caller.asked.count("GetRecordingSearchResults") == 4


@pytest.mark.parametrize(
    "more",
    [
        "<RecordingStatus>Removed</RecordingStatus>",
        "<Track><TrackType>Audio</TrackType></Track>",
    ],
)
async def test_what_has_no_pictures_or_is_removed_is_no_recording(more: str) -> None:
    recordings, _ = _recordings(FindRecordings=TOKEN, GetRecordingSearchResults=_ended(_found("a", more=more)))
    own = await recordings.own(DESCRIBED)

    assert (own.recordings, own.replay) == (0, None)


async def test_the_one_that_goes_on_is_played() -> None:
    on = "<RecordingStatus>Recording</RecordingStatus>"
    recordings, caller = _recordings(
        FindRecordings=TOKEN,
        GetRecordingSearchResults=_ended(_found("old", "2026-05-01T00:00:00Z"), _found("now", more=on)),
        GetReplayUri="<Uri>rtsp://127.0.0.1/now</Uri>",
    )
    assert (await recordings.own(DESCRIBED)).replay == "rtsp://127.0.0.1/now"
    assert caller.asked[-1] == "GetReplayUri"


@pytest.mark.parametrize("uri", ["", "<Uri>http://127.0.0.1:99999/</Uri>"])
async def test_a_replay_without_address_is_none(uri: str) -> None:
    recordings, _ = _recordings(FindRecordings=TOKEN, GetRecordingSearchResults=_ended(_found("a")), GetReplayUri=uri)
    assert (await recordings.own(DESCRIBED)).replay is None


async def test_a_camera_that_answers_everything_with_a_fault_has_no_recording() -> None:
    recordings, _ = _recordings()
    with pytest.raises(CameraError, match="cannot be searched") as caught:
        await recordings.own(DESCRIBED)
    assert caught.value.state is CameraState.NO_RECORDING


async def test_what_lies_within_a_recording_is_none() -> None:
    """Nested ones would each be walked with all that is in them: seconds for a megabyte."""
    nested = _found("t1", more=_found("t2", more=_found("t3")))
    recordings, _ = _recordings(FindRecordings=TOKEN, GetRecordingSearchResults=_ended(nested))
    assert (await recordings.own(DESCRIBED)).recordings == 1


async def test_names_without_end_are_cut() -> None:
    found = _found("t" * 100_000, source="s" * 100_000)
    answers = {
        "FindRecordings": TOKEN,
        "GetRecordingSearchResults": _ended(found),
        "GetReplayUri": "<Uri>rtsp://x/1</Uri>",
    }
    recordings, caller = _recordings(**answers)
    assert (await recordings.own(DESCRIBED)).recordings == 1
    assert len(caller.last) < 4_000
