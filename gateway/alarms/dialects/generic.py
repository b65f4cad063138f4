"""Dialects that an installer describes in ``gateway.toml``: topic patterns, JSON pointers, and what values mean."""

import json
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from gateway.alarms.dialects.reading import count, json_of, moment, neither, number, text_of, words
from gateway.alarms.dialects.said import Action, Condition, Dialect, Health, PayloadError, Presence, Said
from gateway.settings import DialectSettings, MessageSettings

_ADDRESS = "{address}"
_LONGEST_INDEX = 9


def dialect_of(settings: DialectSettings) -> Dialect:
    """The dialect that an entry describes."""
    messages = tuple((_matcher(each.topic), each) for each in settings.messages)
    return Dialect(
        name=settings.id,
        decode=partial(decode, messages),
        topics=lambda address: tuple(dict.fromkeys(m.topic.replace(_ADDRESS, address) for m in settings.messages)),
        address="{device}",
        meanings={name: name for name in ("press", "silent", "duress", "test", "tamper", "clear", "ignore")},
    )


def _matcher(pattern: str) -> re.Pattern[str]:
    parts = (".+" if each == _ADDRESS else "[^/]*" if each == "+" else ".*" if each == "#" else re.escape(each)
             for each in re.split(r"(\{address\}|\+|#)", pattern))  # fmt: skip
    return re.compile("".join(parts))


def decode(messages: Sequence[tuple[re.Pattern[str], MessageSettings]], topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a message says by each description that its topic fits.

    Raises:
        PayloadError: it should be JSON and is not, or has a value that no description knows.
    """
    found = [settings for pattern, settings in messages if pattern.fullmatch(topic)]
    return tuple(said for settings in found for said in _read(settings, payload))


def _read(settings: MessageSettings, payload: bytes) -> list[Said]:
    source = _Source(payload)
    said: list[Said] = []
    if settings.values:
        said += _press(settings, source)
    if settings.online is not None:
        said.append(_presence(settings.online, source.at(settings.value)))
    health = Health(
        battery=number(source.at(settings.battery), 0, 100) if settings.battery is not None else None,
        rssi=number(source.at(settings.rssi), -200, 100) if settings.rssi is not None else None,
        firmware=_word(source.at(settings.firmware)) if settings.firmware is not None else None,
    )
    return [*said, health]


class _Source:
    """A payload; parsed as JSON only when a pointer asks for it."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._value: Any = self

    def at(self, pointer: str | None) -> Any:  # noqa: ANN401  # a JSON value is of any type
        """The value that a pointer names; without pointer or with an empty one the payload as text."""
        if not pointer:
            return text_of(self._payload)
        if self._value is self:
            self._value = json_of(self._payload)
        return resolve(self._value, pointer)


def resolve(value: Any, pointer: str) -> Any:  # noqa: ANN401  # a JSON value is of any type
    """The value that a JSON pointer (RFC 6901 §4) names; None if there is none."""
    for raw in pointer.split("/")[1:]:
        name = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and _is_index(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _is_index(name: str) -> bool:
    digits = name.isascii() and name.isdigit() and len(name) <= _LONGEST_INDEX
    return digits and (name == "0" or not name.startswith("0"))


def _press(settings: MessageSettings, source: _Source) -> list[Said]:
    word = _word(source.at(settings.value))
    if word is None:  # a message about something else
        return []
    meaning = settings.values.get(word)
    if meaning is None:
        what, where = f"the value {word[:40]!r} has no meaning", settings.value or "payload"
        raise PayloadError(what, where=where, code="payload_no_meaning", value=word[:40])
    at = moment(source.at(settings.at)) if settings.at else None
    if settings.lasts:
        active = meaning not in ("clear", "ignore")
        name = meaning if active else _first_active(settings)
        return [Condition(name=name, active=active, part=settings.value or "", at=at)]
    identity = _word(source.at(settings.id)) if settings.id else None
    seq = count(source.at(settings.seq)) if settings.seq else None
    return [Action(name=meaning, id=identity or None, seq=seq, at=at)]


def _first_active(settings: MessageSettings) -> str:
    return next((each for each in settings.values.values() if each not in ("clear", "ignore")), "press")


def _presence(words_of: tuple[str, str], value: object) -> Presence:
    word = _word(value)
    if word not in words_of:
        raise neither(*words_of)
    return Presence(online=word == words_of[0])


def _word(value: object) -> str | None:
    """A value as `values` name it: text as it is, numbers and booleans as JSON writes them."""
    if isinstance(value, bool | int | float):
        try:
            return json.dumps(value)[:128]
        except ValueError:  # a number of more digits than are written out
            return None
    return words(value)
