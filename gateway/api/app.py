"""The application: routes under /api/v1, health beside them, the console at the root."""

from fastapi import APIRouter, FastAPI

from gateway import __version__
from gateway.api.console import add_console
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem, add_problem_handlers
from gateway.api.routes import events, evidence, health, incidents, response, session, site, watchlist
from gateway.api.shield import Shield

PREFIX = "/api/v1"


def create_app(parts: ApiParts | None) -> FastAPI:
    """Make the application; without parts only its OpenAPI document is of use."""
    app = FastAPI(
        title="Campus Gateway",
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.parts = parts
    app.state.streams = events.Streams()
    api = APIRouter(prefix=PREFIX)
    for room in (session, events, evidence, incidents, response, watchlist, site):
        api.include_router(room.router)
    api.include_router(health.demo_router)
    app.include_router(api)
    app.include_router(health.router)
    add_problem_handlers(app)

    @app.api_route(PREFIX + "/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def unknown(path: str) -> None:
        raise Problem(404, "there is no such call", where=f"{PREFIX}/{path}", remedy=f"See {PREFIX}/openapi.json.")

    add_console(app)
    app.add_middleware(Shield)
    return app
