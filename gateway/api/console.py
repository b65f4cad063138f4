"""The console's static files, with a tag of their content so that browsers keep what did not change."""

import hashlib
import mimetypes
from importlib import resources

from fastapi import FastAPI, Request
from starlette.responses import Response

_INDEX = "index.html"


class ConsoleFiles:
    """All files of the console in memory, read once; a path that is none of them is not found."""

    def __init__(self) -> None:
        root = resources.files("gateway").joinpath("console")
        self._files: dict[str, tuple[bytes, str, str]] = {}
        pending = [(root, "")]
        while pending:
            folder, prefix = pending.pop()
            for entry in folder.iterdir():
                if entry.is_dir():
                    pending.append((entry, f"{prefix}{entry.name}/"))
                else:
                    content = entry.read_bytes()
                    kind = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
                    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
                    self._files[prefix + entry.name] = (content, kind, tag)

    def answer(self, path: str, known_tag: str | None) -> Response:
        """A file, 304 if the browser has it, 404 if there is none."""
        found = self._files.get(path or _INDEX)
        if found is None:
            return Response("not found", 404, media_type="text/plain")
        content, kind, tag = found
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if known_tag == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)


def add_console(app: FastAPI) -> None:
    """Serve the console at ``/``."""
    files = ConsoleFiles()

    @app.get("/{path:path}", include_in_schema=False)
    async def console(path: str, request: Request) -> Response:
        return files.answer(path, request.headers.get("If-None-Match"))
