"""Every fault of a configuration at once: what is wrong is put aside, and what stands is looked at again."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.errors import Fault
from gateway.settings.model import Settings
from gateway.settings.rules import contradictions
from gateway.settings.words import fault_of, told_key

Key = tuple[str | int, ...]
_MOST_BITS = 63
_OF_THE_REST = ("too_short", "too_long")
_STAND_INS = ("id", "url")
_ADDRESSES = {"cameras": "rtsp://unknown.invalid/", "destinations": "https://unknown.invalid/"}
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NEEDED = {"gateway": {"site": "site"}}


@dataclass(frozen=True, slots=True)
class Survey:
    """What a configuration says.

    Attributes:
        settings: of what stands; without faults, of all of it. None where nothing can be told.
        faults: file, key, what is wrong and the remedy of each.
        names: of entries whose id cannot be used: by the one that `settings` go on with, the one of the file.
    """

    settings: Settings | None
    faults: tuple[Fault, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def as_written(self, fault: Fault) -> Fault:
        """A fault found in `settings`, with its key as the file has it."""
        found = next((each for each in self.names if fault.key.startswith(f"{each}.")), "")
        return replace(fault, key=self.names[found] + fault.key[len(found) :]) if found else fault


def survey(tree: Mapping[str, Any], file: str, origins: Mapping[str, str]) -> Survey:
    """Check a configuration as it was read.

    A slice with a fault hides what compares its keys, and a section with one what compares sections. So a faulty key is
    put aside and the rest is checked again, until it stands. A fault that comes up only because a key was put aside is
    not told: it is that key's own absence, or a comparison whose words name it.

    Args:
        tree: TOML's values, by key.
        file: the configuration's name.
        origins: by key, where its value came from if not from the file.
    """
    try:
        settings, errors = _standing(tree)
        faults = [fault_of(error, file, origins, tree) for error in errors]
        found = Survey(settings, tuple(faults), dict(_stood_in(tree, errors)))
        more = [Fault(file, key, what, remedy) for key, what, remedy in contradictions(settings, tree)]
    except RecursionError:
        return Survey(None, (Fault(file, "", "nested too deeply", "Mend that line."),))
    return replace(found, faults=(*found.faults, *map(found.as_written, more)))


def _standing(tree: Mapping[str, Any]) -> tuple[Settings, list[ErrorDetails]]:
    """The settings of what stands, and the errors of the rest with their keys in `tree`."""
    found = list(_unreadable(tree, ()))
    aside = {each["loc"] for each in found}
    while True:
        kept: dict[Key, list[int]] = {}
        standing = _without(tree, aside, (), kept)
        if aside:
            standing = _NEEDED | standing
        try:
            return _validated(standing), found
        except ValidationError as error:
            errors = [ErrorDetails(**{**each, "loc": _original(each["loc"], kept)}) for each in error.errors()]
        wrong = {_put_aside(tree, each, aside) for each in errors}
        found += [each for each in errors if not _follows(each, aside, wrong)]
        aside |= wrong


def _stood_in(tree: Mapping[str, Any], errors: list[ErrorDetails]) -> Iterator[tuple[str, str]]:
    """The entries whose ids are faults: their keys with the stand-in, and as the file has them."""
    for *at, last in (each["loc"] for each in errors):
        if last != "id" or not at or not isinstance(at[-1], int) or _deepest(tree, tuple(at), set()) != tuple(at):
            continue
        entry: Any = tree
        for part in at:
            entry = entry[part]
        of_kind = ".".join(str(part) for part in at[:-1])
        if isinstance(entry, Mapping):
            yield f"{of_kind}.{_stand_in(entry, tuple(at), 'id')}", told_key(at, tree)


def _validated(tree: Mapping[str, Any]) -> Settings:
    """Settings by way of JSON, where pydantic takes text for a path or a network, and for no number."""
    try:
        return Settings.model_validate_json(json.dumps(tree, default=_other), strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise RecursionError from None
        raise


def _other(value: object) -> object:
    """A path as its text; a date, which no setting is, as what no setting takes."""
    return str(value) if isinstance(value, PurePath) else {}


def _unreadable(value: Any, key: Key) -> Iterator[ErrorDetails]:  # noqa: ANN401  # a TOML value is of any type
    """What no file name and no JSON holds: text that is none, numbers of thousands of digits."""
    if what := _trouble_of(value):
        yield ErrorDetails(type="unreadable", loc=key, msg=what, input=None)
    below = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, each in below:
        if isinstance(name, str) and not _is_text(name):
            yield ErrorDetails(type="unreadable", loc=(*key, name), msg="its name is no UTF-8", input=None)
        else:
            yield from _unreadable(each, (*key, name))


def _trouble_of(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"it is a number of more than {_MOST_BITS} bits"
    if not isinstance(value, str):
        return ""
    return "it holds the character NUL" if "\0" in value else "" if _is_text(value) else "it is no UTF-8"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # of a variable of the environment, which may hold any bytes
        return False
    return True


def _without(value: Any, aside: set[Key], at: Key, kept: dict[Key, list[int]]) -> Any:  # noqa: ANN401  # of any type
    """A copy without what was put aside; `kept` gets, for each list, the numbers that its entries had."""
    if isinstance(value, Mapping):
        whole = {
            name: _without(each, aside, (*at, name), kept) for name, each in value.items() if (*at, name) not in aside
        }
        of_entry = _STAND_INS if at and isinstance(at[-1], int) else ()
        return whole | {name: _stand_in(value, at, name) for name in of_entry if (*at, name) in aside}
    if isinstance(value, list | tuple):
        kept[at] = [number for number in range(len(value)) if (*at, number) not in aside]
        return [_without(value[number], aside, (*at, number), kept) for number in kept[at]]
    return value


def _stand_in(entry: Mapping[str, Any], at: Key, name: str) -> str:
    """What an entry goes on with in place of a key that it must have, so that its other faults are told, too."""
    if name == "url":
        return _ADDRESSES.get(str(at[0]), "mqtt://unknown.invalid")
    return _NO_NAME.sub("_", str(entry.get("id", "")))[:64] or f"number-{at[-1]}"


def _put_aside(tree: Mapping[str, Any], error: ErrorDetails, aside: set[Key]) -> Key:
    """What is put aside because of an error: the key itself, or the entry that misses one without a stand-in."""
    location = error["loc"]
    of_entry = len(location) > 1 and isinstance(location[-2], int) and location[-1] in _STAND_INS
    if error["type"] == "missing" and of_entry and location not in aside:
        return location
    return _deepest(tree, location, aside)


def _original(location: Key, kept: Mapping[Key, list[int]]) -> Key:
    """A key of the copy as a key of the whole."""
    at: Key = ()
    for part in location:
        numbers = kept.get(at)
        if numbers is not None and isinstance(part, int) and part < len(numbers):
            part = numbers[part]  # noqa: PLW2901  # else it is a number of pydantic's own, as of a pair
        at = (*at, part)
    return at


def _follows(error: ErrorDetails, aside: set[Key], wrong: set[Key]) -> bool:
    """Whether an error comes only of what was put aside before, or of what is wrong below it.

    A comparison's words name the keys that it compares, or its context does (``compares``).
    """
    location, depth = error["loc"], len(error["loc"])
    if location in aside:
        return True
    below = {key for key in aside | wrong if len(key) > depth and key[:depth] == location}
    if error["type"] in _OF_THE_REST:
        return bool(below)
    words = set(error["msg"].replace(",", " ").replace(":", " ").split())
    words |= set(str(error.get("ctx", {}).get("compares", "")).split())
    return any(str(key[depth]) in words for key in below & aside)


def _deepest(tree: Any, location: Key, aside: set[Key]) -> Key:  # noqa: ANN401  # a TOML value is of any type
    """The longest beginning of a key that is there: of one that is missing, the entry that misses it."""
    at: Key = ()
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            break
        if (*at, part) in aside:
            break
        at = (*at, part)
    return at
