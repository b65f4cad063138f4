"""The application: routes under /api/v1, health beside them, the console at the root."""

import hashlib
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from gateway import __version__
from gateway.api.auth import cookie_name, is_good
from gateway.api.console import add_console
from gateway.api.hosts import HostNames
from gateway.api.known import credential_of
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem, add_problem_handlers
from gateway.api.routes import (
    events,
    evidence,
    health,
    incidents,
    protection,
    response,
    session,
    site,
    threshold,
    watchlist,
)
from gateway.api.shield import Scope, Shield
from gateway.settings import ApiSettings

PREFIX = "/api/v1"
OPENAPI = f"{PREFIX}/openapi.json"


def create_app(parts: ApiParts | None) -> FastAPI:
    """Make the application; without parts only its OpenAPI document is of use."""
    app = FastAPI(
        title="Campus Gateway",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.parts = parts
    app.state.streams = events.Streams()
    api = APIRouter(prefix=PREFIX)
    for room in (session, events, evidence, incidents, response, watchlist, threshold, site, protection):
        api.include_router(room.router)
    api.include_router(health.demo_router)
    app.include_router(api)
    app.include_router(health.router)
    add_problem_handlers(app)

    _add_document(app)

    @app.api_route(PREFIX + "/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def unknown(path: str) -> None:
        raise Problem(
            404, "there is no such call", code="no_such_call", where=f"{PREFIX}/{path}", remedy=f"See {OPENAPI}."
        )

    add_console(app)
    settings = parts.settings.api if parts else ApiSettings()
    app.add_middleware(Shield, names=HostNames((*settings.names, settings.host)), has_signed_in=_has_signed_in(parts))
    return app


def _has_signed_in(parts: ApiParts | None) -> Callable[[Scope], Awaitable[bool]]:
    async def has_signed_in(scope: Scope) -> bool:
        if parts is None:
            return False
        key = credential_of(scope["headers"], cookie_name(parts).encode())
        if key is None or not await is_good(parts, key):
            return False
        recognise = scope.get("state", {}).get("recognise")
        if recognise is not None:
            recognise(key)
        return True

    return has_signed_in


def _add_document(app: FastAPI) -> None:
    document = OpenApiDocument(app)

    @app.get(OPENAPI, include_in_schema=False)
    async def openapi(request: Request) -> Response:
        return document.answer(request.headers.get("If-None-Match"))


class OpenApiDocument:
    """The interface's description; its bytes are made once, for they are much work and many may ask."""

    def __init__(self, app: FastAPI) -> None:
        self._content = bytes(JSONResponse(app.openapi()).body)
        self._headers = {"ETag": f'"{hashlib.sha256(self._content).hexdigest()[:16]}"', "Cache-Control": "no-cache"}

    def answer(self, known_tag: str | None) -> Response:
        """The document, or 304 if the caller has it."""
        if known_tag == self._headers["ETag"]:
            return Response(status_code=304, headers=self._headers)
        return Response(self._content, media_type="application/json", headers=self._headers)
