"""The ONVIF recording search service, ver10 (ONVIF Recording Search Service, search.wsdl)."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from gateway.simulators.camera.archive import RECORDING
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/search/wsdl"
_SEARCH = "search-1"
_OTHERS = "recording-2"
_OTHER_SOURCE = "camera_of_somebody_else"


def _get_recording_summary(call: Call) -> str:
    archive = call.device.archive
    if "no-recording-summary" in call.device.quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    archive.looks += 1
    return (
        f"<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>{_said(archive.begins)}</tt:DataFrom>"
        f"<tt:DataUntil>{_said(archive.ends)}</tt:DataUntil><tt:NumberRecordings>1</tt:NumberRecordings>"
        "</tse:Summary></tse:GetRecordingSummaryResponse>"
    )


def _find_recordings(_call: Call) -> str:
    return f"<tse:FindRecordingsResponse><tse:SearchToken>{_SEARCH}</tse:SearchToken></tse:FindRecordingsResponse>"


def _get_recording_search_results(call: Call) -> str:
    _must_be_search(call)
    strange = "recordings-of-strangers" in call.device.quirks
    found = _recording(call, RECORDING, "channel_1" if strange else call.device.profiles[0].token)
    if strange or "recordings-of-others" in call.device.quirks:
        found = _recording(call, _OTHERS, _OTHER_SOURCE) + found
    return (
        "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState>"
        f"{found}</tse:ResultList></tse:GetRecordingSearchResultsResponse>"
    )


def _recording(call: Call, token: str, source: str) -> str:
    archive = call.device.archive
    begins, ends = _said(archive.begins), _said(archive.ends)
    return (
        f"<tt:RecordingInformation><tt:RecordingToken>{token}</tt:RecordingToken><tt:Source>"
        f"<tt:SourceId>{source}</tt:SourceId><tt:Name>{source}</tt:Name><tt:Location/><tt:Description/><tt:Address/>"
        f"</tt:Source><tt:EarliestRecording>{begins}</tt:EarliestRecording>"
        f"<tt:LatestRecording>{ends}</tt:LatestRecording><tt:Content>all day</tt:Content>"
        "<tt:Track><tt:TrackToken>video-1</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/>"
        f"<tt:DataFrom>{begins}</tt:DataFrom><tt:DataTo>{ends}</tt:DataTo></tt:Track>"
        f"<tt:RecordingStatus>{'Recording' if archive.goes_on else 'Stopped'}</tt:RecordingStatus>"
        "</tt:RecordingInformation>"
    )


def _end_search(call: Call) -> str:
    _must_be_search(call)
    endpoint = _said(call.device.archive.ends)
    return f"<tse:EndSearchResponse><tse:Endpoint>{endpoint}</tse:Endpoint></tse:EndSearchResponse>"


def _must_be_search(call: Call) -> None:
    if call.request.argument("SearchToken") != _SEARCH:
        raise SoapFault("Sender", ("InvalidArgVal", "InvalidToken"), "There is no search of that token")


def _said(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetRecordingSummary": _get_recording_summary,
        "FindRecordings": _find_recordings,
        "GetRecordingSearchResults": _get_recording_search_results,
        "EndSearch": _end_search,
    }
)
