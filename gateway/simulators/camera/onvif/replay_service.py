"""The ONVIF replay service, ver10 (ONVIF Replay Control Service, replay.wsdl)."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulators.camera.archive import RECORDING, REPLAY_PATH
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/replay/wsdl"


def _get_replay_uri(call: Call) -> str:
    if call.request.argument("RecordingToken") != RECORDING:
        raise SoapFault("Sender", ("InvalidArgVal", "NoRecording"), "There is no recording of that token")
    address = call.device.rtsp_address(call.host, REPLAY_PATH)
    return f"<trp:GetReplayUriResponse><trp:Uri>{address}</trp:Uri></trp:GetReplayUriResponse>"


OPERATIONS: Mapping[str, Operation] = MappingProxyType({"GetReplayUri": _get_replay_uri})
