"""The ONVIF PTZ service, ver20 (ONVIF PTZ Service §5)."""

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver20/ptz/wsdl"
_NOT_THERE = SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")


def _get_presets(call: Call) -> str:
    if "no-presets" in call.device.quirks:
        raise _NOT_THERE
    presets = "".join(
        f'<tptz:Preset token="{token}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>'
        for token, name in _presets(call).items()
    )
    tokenless = (
        "<tptz:Preset><tt:Name>nowhere</tt:Name></tptz:Preset>" if "factory-presets" in call.device.quirks else ""
    )
    return f"<tptz:GetPresetsResponse>{presets}{tokenless}</tptz:GetPresetsResponse>"


def _presets(call: Call) -> dict[str, str]:
    if "factory-presets" in call.device.quirks:
        return {str(number): f"Preset%20{number}" for number in range(1, 301)}
    return call.device.movement.presets


def _goto_preset(call: Call) -> str:
    _must_move(call)
    token = call.request.argument("PresetToken")
    if token not in _presets(call):
        raise SoapFault("Sender", ("InvalidArgVal", "NoToken"), "The requested preset token does not exist")
    call.device.movement.moves.append(("preset", token))
    return "<tptz:GotoPresetResponse/>"


def _continuous_move(call: Call) -> str:
    _must_move(call)
    zoom = call.request.operation.find(".//{*}Velocity/{*}Zoom")
    if zoom is not None and "no-zoom" in call.device.quirks:
        raise SoapFault("Sender", ("InvalidArgVal", "InvalidVelocity"), "There is no zoom")
    tilt = call.request.operation.find(".//{*}Velocity/{*}PanTilt")
    said = "" if tilt is None else f"{float(tilt.get('x', '0')):g},{float(tilt.get('y', '0')):g}"
    call.device.movement.moves.append(("move", said))
    return "<tptz:ContinuousMoveResponse/>"


def _stop(call: Call) -> str:
    _must_move(call)
    if "no-stop" in call.device.quirks:
        raise _NOT_THERE
    zoom = (call.request.operation.findtext("{*}Zoom") or "").strip() == "true"
    if zoom and "no-zoom" in call.device.quirks:
        raise SoapFault("Sender", ("InvalidArgVal", "InvalidVelocity"), "There is no zoom")
    call.device.movement.moves.append(("stop", "zoom" if zoom else ""))
    return "<tptz:StopResponse/>"


def _must_move(call: Call) -> None:
    profile = call.device.profile(call.request.argument("ProfileToken"))
    if profile is None or not profile.moves:
        raise SoapFault("Sender", ("InvalidArgVal", "NoPTZProfile"), "The requested profile has no PTZ")


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetPresets": _get_presets,
        "GotoPreset": _goto_preset,
        "ContinuousMove": _continuous_move,
        "Stop": _stop,
    }
)
