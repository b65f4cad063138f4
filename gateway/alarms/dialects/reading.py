"""Careful reading of what devices send: nothing in it is trusted; what is odd is one kind of error."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from gateway.alarms.dialects.said import PayloadError

_FIRST_YEAR = 2020
_LONGEST_TEXT = 128
_LONGEST_NUMBER = 300
_MILLISECONDS_FROM = 1e11


def json_of(payload: bytes) -> Any:  # noqa: ANN401  # a JSON value is of any type
    """The JSON value of a payload (RFC 8259).

    Raises:
        PayloadError: it is none.
    """
    try:
        return _DECODER.decode(payload.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise PayloadError("is no JSON", where="payload", code="payload_no_json") from None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


_DECODER = json.JSONDecoder(parse_int=_whole)


def object_of(payload: bytes) -> dict[str, Any]:
    """The JSON object of a payload.

    Raises:
        PayloadError: it is none.
    """
    value = json_of(payload)
    if not isinstance(value, dict):
        raise PayloadError("is no JSON object", where="payload", code="payload_no_object")
    return value


def neither(one: str, other: str, where: str = "payload") -> PayloadError:
    """The error of a value that is none of two words."""
    return PayloadError(f"is neither {one} nor {other}", where=where, code="payload_neither", one=one, other=other)


def text_of(payload: bytes) -> str:
    """A payload as short text.

    Raises:
        PayloadError: it is not UTF-8.
    """
    try:
        return payload.decode("utf-8").strip()[:_LONGEST_TEXT]
    except UnicodeDecodeError:
        raise PayloadError("is not UTF-8", where="payload", code="payload_no_utf8") from None


def words(value: object) -> str | None:
    """A value as short text that any encoder takes; None if it is no text."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode("utf-8").strip()[:_LONGEST_TEXT]


def number(value: object, low: float, high: float) -> float | None:
    """A number within bounds, also one that is written as text; None if it is none."""
    if isinstance(value, str):
        try:
            value = float(value[:32])
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high and math.isfinite(value) else None


def count(value: object) -> int | None:
    """A counter: a whole number from 0 on."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53
    return int(value) if whole and isinstance(value, int) else None


def switch(value: object, on: str = "online", off: str = "offline") -> bool | None:
    """Two words, in any case, or a JSON boolean, as true and false; None if it is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {on: True, off: False}.get(value.strip().lower())
    return None


def moment(value: object) -> datetime | None:
    """A time as a device writes it: RFC 3339 with an offset, or seconds or milliseconds since 1970; None: neither."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1e3 if value >= _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def is_plausible(when: datetime) -> bool:
    """Whether a device's clock can have been set: not before 2020."""
    return when.year >= _FIRST_YEAR
