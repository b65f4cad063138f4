"""How a fault of the configuration is told: its key by the entry's id, what is wrong in plain words, a remedy."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from gateway.errors import Fault
from gateway.settings.base import HOST_PATTERN, NAME_PATTERN, Slice
from gateway.settings.model import Settings

_LONGEST = 500
_EXAMPLE = "config/gateway.toml explains it."
_KINDS = {
    "int_parsing": "Write a number without quotes, such as 8443.",
    "int_type": "Write a number without quotes, such as 8443.",
    "float_parsing": "Write a number without quotes, such as 10.0.",
    "float_type": "Write a number without quotes, such as 10.0.",
    "bool_parsing": "Write true or false without quotes.",
    "bool_type": "Write true or false without quotes.",
    "value_error": "",
    "unreadable": "Remove it.",
    "url_credentials": "",
    "string_type": 'Write text in quotes, such as "east-campus".',
}
_FORMS = {
    NAME_PATTERN: "Use 1 to 64 of A-Z a-z 0-9 _ -.",
    HOST_PATTERN: "Give a host name or an address; a name of other letters in its ASCII form (xn--…).",
    r"^mqtts?://[^\s]+$": "Write mqtt://host or mqtts://host.",
    r"^https?://[^\s]+$": "Write http://host/path or https://host/path.",
    r"^(onvifs?|rtsps?|file)://[^\s]+$": "Write onvif://host, rtsp://host/path or file:///recording.mp4.",
    r"^(rtsps?|file)://[^\s]+$": "Write rtsp://host/path or file:///recording.mp4.",
}


def fault_of(error: Any, file: str, origins: Mapping[str, str], tree: Mapping[str, Any]) -> Fault:  # noqa: ANN401  # pydantic's ErrorDetails
    """One of pydantic's errors in the words of this project.

    Args:
        error: what pydantic found.
        file: the configuration's name.
        origins: by key, where its value came from if not from the file.
        tree: the configuration as it was read.
    """
    path = ".".join(str(part) for part in error["loc"])
    return Fault(origins.get(path, file), told_key(error["loc"], tree), _what(error), _remedy(error))


def entry_fault(error: Any, model: type[Slice]) -> Fault:  # noqa: ANN401  # pydantic's ErrorDetails
    """One of pydantic's errors in an entry that came by API; its file is empty."""
    path = printable(".".join(str(part) for part in error["loc"]))
    return Fault("", path, _what(error), _remedy(error, model))


def told_key(location: Sequence[str | int], tree: Any) -> str:  # noqa: ANN401  # a TOML value is of any type
    """The key as people name it: an entry by its id if it has one, else by its number."""
    parts = []
    for part in location:
        tree = _below(tree, part)
        name = tree.get("id") if isinstance(part, int) and isinstance(tree, Mapping) else None
        parts.append(name if isinstance(name, str) and name else str(part))
    return printable(".".join(parts))


def printable(text: str) -> str:
    """Text with what is no UTF-8, such as bytes of a command line, as escapes; no longer than a name may be."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def _below(tree: Any, part: str | int) -> Any:  # noqa: ANN401  # a TOML value is of any type
    try:
        return tree[part]
    except (KeyError, IndexError, TypeError):
        return None


_SAID = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
    "string_pattern_mismatch": "has not the right form",
    "tuple_type": "is one section, and there may be several",
}


def _what(error: Any) -> str:  # noqa: ANN401  # pydantic's ErrorDetails
    kind, message = error["type"], str(error["msg"])
    if kind in _SAID:
        return _SAID[kind]
    if kind == "too_short":
        return f"holds too few: at least {error['ctx']['min_length']}"
    if kind == "too_long":
        return f"holds too many: at most {error['ctx']['max_length']}"
    if kind.endswith(("_parsing", "_type")):
        return message.replace("Input should", "it should").partition(", unable to")[0].removesuffix(".")
    return message.removeprefix("Value error, ").replace("Input should", "it should").removesuffix(".")


def _remedy(error: Any, root: type[Slice] = Settings) -> str:  # noqa: ANN401  # pydantic's ErrorDetails
    kind = error["type"]
    if kind == "extra_forbidden":
        return _right_name(error["loc"], root)
    if kind == "missing":
        return "Add it; config/gateway.toml shows an example."
    if kind == "literal_error":
        return f"Choose one of {error['ctx']['expected']}."
    if kind == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        return _FORMS.get(pattern, f"It must match {pattern}.")
    if kind == "tuple_type":
        name = error["loc"][-1]
        return f"Write [[{name}]] in double brackets before each; a list of values in brackets: {name} = [...]."
    return _KINDS.get(kind, _EXAMPLE)


def _right_name(location: Sequence[str | int], root: type[Slice]) -> str:
    known = _known_keys(location, root)
    if not known:
        return "Remove it."
    near = get_close_matches(str(location[-1]), known, n=1)
    ask = f"Did you mean {near[0]}? " if near else "Remove it or correct its name. "
    return f"{ask}Known here: {', '.join(known)}."


def _known_keys(location: Sequence[str | int], root: type[Slice]) -> list[str]:
    model = root
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        found = [each for each in candidates if isinstance(each, type) and issubclass(each, Slice)]
        if not found:
            return []
        model = found[0]
    return sorted(model.model_fields)
