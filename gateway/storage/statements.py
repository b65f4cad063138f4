"""Named SQL statements out of the room's ``.sql`` files."""

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_statements(file: str) -> Mapping[str, str]:
    """The statements of ``sql/<file>.sql`` by the name in the line ``-- name: …`` before each."""
    text = resources.files("gateway.storage").joinpath("sql", f"{file}.sql").read_text("utf-8")
    parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
