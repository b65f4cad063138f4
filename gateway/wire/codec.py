"""Messages to frames and back: length-prefixed JSON with the binary fields behind it; no pickle.

A frame is ``u32 length | u32 header length | header (JSON, UTF-8) | blob``; the length counts what follows it.
In the header each binary value stands as ``{"$bytes": [offset, size]}`` into the blob.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.errors import PermanentError
from gateway.wire import assignments, calibration, findings, gallery, lifecycle, recordings
from gateway.wire.message import Message

LENGTHS = struct.Struct(">II")
HEADER_LENGTH_BYTES = 4
MAX_FRAME_BYTES = 16 * 1024 * 1024


class WireError(PermanentError):
    """A frame is too large, cut, or no message: its sender cannot be trusted any more."""


@dataclass(frozen=True, slots=True)
class _Kind:
    message: type[Message]
    adapter: TypeAdapter[Any]


@cache
def _kinds() -> Mapping[str, _Kind]:
    files = (assignments, calibration, findings, gallery, lifecycle, recordings)
    values = [value for each in files for value in vars(each).values()]
    found = [each for each in values if isinstance(each, type) and issubclass(each, Message)]
    return {kind.__name__: _Kind(kind, TypeAdapter(kind)) for kind in found if kind is not Message}


def encode_frame(message: Message) -> bytes:
    """One message as one frame.

    Raises:
        WireError: the frame would be larger than `MAX_FRAME_BYTES`.
    """
    blob = bytearray()
    body = {field.name: _pack(getattr(message, field.name), blob) for field in fields(message)}
    header = json.dumps({"kind": type(message).__name__, "body": body}, ensure_ascii=False).encode()
    size = 4 + len(header) + len(blob)
    if size > MAX_FRAME_BYTES:
        raise WireError(f"{type(message).__name__} of {size} bytes is over the limit of {MAX_FRAME_BYTES}")
    return LENGTHS.pack(size, len(header)) + header + bytes(blob)


def _pack(value: Any, blob: bytearray) -> Any:  # noqa: ANN401  # walks any field
    if isinstance(value, bytes):
        blob.extend(value)
        return {"$bytes": [len(blob) - len(value), len(value)]}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {field.name: _pack(getattr(value, field.name), blob) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _pack(each, blob) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_pack(each, blob) for each in value]
    return value


def decode_payload(header_size: int, payload: bytes) -> Message:
    """Read what follows the two lengths of a frame.

    Raises:
        WireError: it is no message of this version.
    """
    if header_size > len(payload):
        raise WireError(f"a frame of {len(payload)} bytes cannot hold a header of {header_size}")
    blob = memoryview(payload)[header_size:]
    try:
        header = json.loads(payload[:header_size])
        kind = _kinds()[header["kind"]]
        message: Message = kind.adapter.validate_python(_unpack(header["body"], blob))
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise WireError(f"a frame is no message of this version ({type(error).__name__})") from None
    return message


def _unpack(value: Any, blob: memoryview) -> Any:  # noqa: ANN401  # walks any JSON value
    if isinstance(value, list):
        return [_unpack(each, blob) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$bytes"}:
        offset, size = value["$bytes"]
        if not 0 <= offset <= offset + size <= len(blob):
            raise ValueError("a binary field points outside its frame")
        return bytes(blob[offset : offset + size])
    return {key: _unpack(each, blob) for key, each in value.items()}
