"""Many cameras from a CSV file: each row is judged by itself, so that one bad camera delays no other."""

import csv
import io
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from gateway.api.problems import Problem
from gateway.api.sources import refuse_local_address, refuse_local_files
from gateway.errors import Fault
from gateway.settings import CameraSettings, entry_fault

COLUMNS = ("id", "name", "place", "url", "sub_url", "username", "password", "tls_fingerprint", "watch_faces")
_NEEDED = ("id", "url")
MOST_ROWS = 1000
_LONGEST_FIELD = 2000
_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Row:
    """One camera of the file.

    Attributes:
        line: in the file, from 1.
        camera: its id, as far as it can be read.
        body: its entry; None if something is wrong.
        fault, where, remedy: what is wrong, all of it.
    """

    line: int
    camera: str
    body: dict[str, Any] | None = field(default=None, repr=False)
    fault: str = ""
    where: str = ""
    remedy: str = ""


def read_cameras(text: str, taken: Container[str], networks: Sequence[str]) -> list[Row]:
    """The rows of a CSV file with a heading (RFC 4180; semicolons will do, too), each judged.

    Args:
        text: of the file.
        taken: ids that cannot be given again.
        networks: of cameras, as `refuse_local_address` takes them.

    Raises:
        Problem: 422, it is no such file.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=_delimiter(text), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Problem(422, f"no CSV: {error}", code="no_csv", where=f"line {reader.line_num}") from None
    if not rows:
        raise Problem(422, "the file is empty", code="no_csv", remedy=f"Begin with a heading of {', '.join(COLUMNS)}.")
    heading = [cell.strip().lower() for cell in rows[0][1]]
    _check(heading, len(rows) - 1)
    return list(_judged(heading, rows[1:], taken, networks))


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _check(heading: list[str], rows: int) -> None:
    unknown = [name for name in heading if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in heading]
    if unknown or missing or len(set(heading)) != len(heading):
        # By number: a file without a heading begins with a camera, and its password.
        numbers = ", ".join(str(number) for number, name in enumerate(heading, 1) if name not in COLUMNS)
        what = "a column stands there twice"
        if unknown:
            what = f"no known name: column {numbers}"
        elif missing:
            what = f"the heading lacks {', '.join(missing)}"
        raise Problem(422, what, code="no_csv", where="heading", remedy=f"Known are {', '.join(COLUMNS)}.")
    if rows > MOST_ROWS:
        raise Problem(422, f"{rows} cameras; at most {MOST_ROWS} at once", code="no_csv", remedy="Split the file.")


def _judged(
    heading: list[str], rows: list[tuple[int, list[str]]], taken: Container[str], networks: Sequence[str]
) -> Iterator[Row]:
    seen: set[str] = set()
    for line, cells in rows:
        said = dict(zip(heading, (cell.strip() for cell in cells), strict=False))
        row = _row(line, said, len(cells) - len(heading), networks)
        if row.body is not None and (row.camera in taken or row.camera in seen):
            row = Row(line, row.camera, fault="the id is taken", where="id", remedy="Choose another.")
        seen.add(row.camera)
        yield row


def _row(line: int, said: dict[str, str], spare: int, networks: Sequence[str]) -> Row:
    camera = said.get("id", "")[:64]
    if spare > 0 or any(len(cell) > _LONGEST_FIELD for cell in said.values()):
        return Row(line, camera, fault="more or longer fields than the heading has", remedy="Quote fields with commas.")
    body: dict[str, Any] = {key: value for key, value in said.items() if value}
    faces = said.get("watch_faces", "").lower()
    found = {}
    if faces not in _WORDS:
        found["watch_faces"] = Fault("", "watch_faces", "neither yes nor no", "Write yes or no.")
    body["watch_faces"] = _WORDS.get(faces, False)
    for fault in _faults(body, networks):
        found.setdefault(fault.key, fault)
    if found:
        named = "" if "id" in found else camera  # what is no id may be a password in the wrong column
        return _bad(line, named, list(found.values()))
    return Row(line, camera, body)


def _faults(body: dict[str, Any], networks: Sequence[str]) -> Iterator[Fault]:
    """All that is wrong with an entry; of one field there may be several, the plainest first."""
    for key, value in body.items():
        try:
            refuse_local_files({key: value})
            refuse_local_address({key: value}, networks)
        except Problem as problem:
            more = problem.more
            yield Fault("", str(more.get("where", "")), problem.detail or "", str(more.get("remedy", "")))
    try:
        CameraSettings.model_validate(body)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            yield entry_fault(each, CameraSettings)


def _bad(line: int, camera: str, faults: list[Fault]) -> Row:
    """A row with one fault says it; of several each is said with its field."""
    where = ", ".join(each.key for each in faults)
    if len(faults) == 1:
        return Row(line, camera, fault=faults[0].what, where=where, remedy=faults[0].remedy)
    fault = "; ".join(f"{each.key}: {each.what}" for each in faults)
    remedies = dict.fromkeys(each.remedy for each in faults if each.remedy)
    return Row(line, camera, fault=fault, where=where, remedy=" ".join(remedies))
