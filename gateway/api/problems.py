"""Errors as RFC 9457 problem details: what, where, remedy; never a traceback."""

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.errors import GatewayError, PermanentError, TransientError
from gateway.incidents import BadCommandError, ConflictError, NotFoundError
from gateway.workers import NoPictureError, WorkerAwayError

_log = logging.getLogger(__name__)
# Of each status its title, and the code of a problem that has none of its own.
_KINDS = {
    400: ("Bad request", "bad_request"),
    401: ("Sign in first", "not_signed_in"),
    403: ("Not allowed", "not_allowed"),
    404: ("Not found", "not_found"),
    405: ("Method not allowed", "method_not_allowed"),
    409: ("Conflict", "conflict"),
    413: ("Too large", "too_large"),
    415: ("Unsupported media type", "media_type"),
    416: ("Range not satisfiable", "range_outside"),
    421: ("Misdirected request", "misdirected"),
    422: ("Not acceptable", "refused"),
    429: ("Too many tries", "too_many"),
    500: ("Internal error", "internal"),
    503: ("Not available now", "not_available_now"),
}
_UNKNOWN = ("Error", "error")
# Whoever sends thousands of wrong fields learns of the first ones, and nobody waits for the others.
_MOST_TOLD, _LONGEST = 20, 500
_MOMENT = "such as 2026-12-31T23:59:59+08:00"
# Of faults that Pydantic names in its own terms.
_WORDS = {
    "timezone_aware": f"has no time zone; write date, time and zone, {_MOMENT}",
    "datetime_parsing": f"is no moment; write date, time and zone, {_MOMENT}",
    "datetime_from_date_parsing": f"is no moment; write date, time and zone, {_MOMENT}",
    "datetime_type": f"is no moment; write date, time and zone, {_MOMENT}",
}


class _Told(JSONResponse):
    """JSON in which half a surrogate pair of the caller's words stands as an escape."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401  # starlette's
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


class Problem(Exception):  # noqa: N818  # the RFC's word
    """An answer that is no result.

    Args:
        status: of HTTP.
        detail: what is wrong, in words.
        code: a stable name of it, for programs and for other languages; that of the status if it is left out.
        headers: to add, such as Retry-After.
        more: further members of the problem object, such as `remedy`, and what the text of the code names.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,  # noqa: ANN401  # JSON values
    ) -> None:
        self.status = status
        self.detail = detail
        self.code = code or _KINDS.get(status, _UNKNOWN)[1]
        self.headers = headers or {}
        self.more = more
        super().__init__(detail)


def problem_response(problem: Problem) -> JSONResponse:
    """The problem as its media type wants it."""
    body = {
        "type": "about:blank",
        "title": _KINDS.get(problem.status, _UNKNOWN)[0],
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **{name: value for name, value in problem.more.items() if value not in ("", None)},
    }
    return _Told(body, problem.status, problem.headers, media_type="application/problem+json")


def of_gateway_error(error: GatewayError) -> Problem:
    """The problem that an error of the gateway is."""
    more: dict[str, Any] = {"where": error.where, "remedy": error.remedy, "code": error.code, **error.figures}
    match error:
        case ConflictError():
            since = error.since.isoformat() if error.since else None
            return Problem(409, error.what, state=error.state, owner=error.owner, since=since, **more)
        case NotFoundError() | NoPictureError():
            return Problem(404, error.what, **more)
        case BadCommandError():
            return Problem(422, error.what, **more)
        case WorkerAwayError() | TransientError():
            return Problem(503, error.what, headers={"Retry-After": "2"}, **more)
        case PermanentError():
            missing = error.what.startswith(("there is no", "there is nobody"))
            return Problem(404 if missing else 422, error.what, **more)
        case _:
            return Problem(500, error.what, **more)


def _fault(error: dict[str, Any]) -> dict[str, Any]:
    """A field's fault: where it is, what is wrong in words and by Pydantic's name of it, and the bounds it names."""
    where = ".".join(str(part) for part in error["loc"])[:_LONGEST]
    bounds = {name: value for name, value in error.get("ctx", {}).items() if isinstance(value, int | float)}
    return {"where": where, "what": _WORDS.get(error["type"], error["msg"]), "code": error["type"], **bounds}


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error leave as a problem."""

    @app.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(GatewayError)
    async def gateway_error(_request: Request, error: GatewayError) -> JSONResponse:
        return problem_response(of_gateway_error(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        faults = [_fault(each) for each in found[:_MOST_TOLD]]
        told = [f"{each['where']}: {each['what']}" for each in faults]
        if more := len(found) - len(faults):
            told.append(f"and {more} more")
        detail = "; ".join(told)
        remedy = "Correct the fields that are named."
        return problem_response(Problem(422, detail, code="fields", faults=faults, remedy=remedy))

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(Problem(error.status_code, str(error.detail), headers=dict(error.headers or {})))

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected error in a request", exc_info=error)
        return problem_response(Problem(500, "the gateway could not do this; its log says why"))
