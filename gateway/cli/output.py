"""How commands print: data to stdout, everything else to stderr, tables for people and JSON for programs."""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime


def say(text: str) -> None:
    """Tell the person at the keyboard; not data."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201  # this is the place that prints


def put(text: str) -> None:
    """Print data."""
    print(text, flush=True)  # noqa: T201  # this is the place that prints


def put_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as a table, or as one JSON array."""
    if as_json:
        put(json.dumps(list(rows), ensure_ascii=False, default=str))
        return
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [max([_width(column), *(_width(row[i]) for row in cells)]) for i, column in enumerate(columns)]
    for line in [list(columns), *cells]:
        put("  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    """A cell: moments to the second, no word for what is not so."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else _shown(str(value))


def _shown(text: str) -> str:
    """Text of devices without what would steer a terminal or turn the writing around."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
