"""Sign-in, sign-out, set-up, accounts and tokens."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.api.auth import (
    Admin,
    Caller,
    Parts,
    check_password,
    check_same_site,
    cookie_name,
    open_session,
    record,
)
from gateway.api.door import network_of
from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.storage import USER_NAME, ApiToken, User, check_new_password, hash_of, make_token

router = APIRouter()
RoleName = Literal["viewer", "guard", "admin", "auditor"]
UserName = Annotated[str, StringConstraints(pattern=USER_NAME)]
Password = Annotated[str, Field(max_length=1024)]


class Body(BaseModel):
    """A request's JSON object; unknown members are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Credentials(Body):
    """A name and its password."""

    username: UserName
    password: Password


class SetUp(Credentials):
    """The first administrator, with the token of the one-time link."""

    token: str


class Link(Body):
    """The token of a one-time sign-in link."""

    token: str


class NewUser(Credentials):
    """An account to be made."""

    role: RoleName


class UserChange(Body):
    """What changes of an account."""

    role: RoleName | None = None
    password: Password | None = None
    disabled: bool | None = None


class NewToken(Body):
    """A token to be made."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    role: RoleName
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


def _network(request: Request) -> str:
    return network_of(request.client.host) if request.client else ""


def _set_cookie(response: Response, parts: ApiParts, token: str) -> None:
    secure = parts.settings.api.tls == "auto"
    response.set_cookie(cookie_name(parts), token, httponly=True, secure=secure, samesite="strict", path="/")


def _me(parts: ApiParts, name: str, role: str) -> dict[str, Any]:
    demo = parts.demo_press is not None
    return {"username": name, "role": role, "site": parts.settings.gateway.site, "demo": demo}


@router.post("/session")
async def sign_in(body: Credentials, request: Request, response: Response, parts: Parts) -> dict[str, Any]:
    """Sign in with name and password."""
    check_same_site(request)
    user = await check_password(parts, body.username, body.password, _network(request))
    _set_cookie(response, parts, await open_session(parts, user.name))
    await record(parts, user.name, "signed in", detail=_network(request))
    return _me(parts, user.name, user.role)


@router.post("/session/link")
async def sign_in_by_link(body: Link, request: Request, response: Response, parts: Parts) -> dict[str, Any]:
    """Sign in with a link that works once."""
    check_same_site(request)
    name = await parts.stores.accounts.use_one_time(hash_of(body.token), "signin", parts.clock.now())
    user = await parts.stores.accounts.user(name) if name else None
    if user is None or user.disabled:
        raise Problem(401, "this link was used, or its time is over", code="link_used")
    _set_cookie(response, parts, await open_session(parts, user.name))
    await record(parts, user.name, "signed in by link", detail=_network(request))
    return _me(parts, user.name, user.role)


@router.get("/session")
async def who_am_i(caller: Caller, parts: Parts) -> dict[str, Any]:
    """Who is signed in."""
    return _me(parts, caller.name, caller.role)


@router.delete("/session", status_code=204)
async def sign_out(caller: Caller, response: Response, parts: Parts) -> None:
    """End this session."""
    await parts.stores.accounts.end_session(caller.key)
    parts.posts.gone(caller.key)
    response.delete_cookie(cookie_name(parts), path="/", secure=parts.settings.api.tls == "auto")
    response.headers["Clear-Site-Data"] = '"cache"'


@router.post("/setup", status_code=201)
async def set_up(body: SetUp, request: Request, parts: Parts) -> dict[str, Any]:
    """Make the first administrator with the one-time link that the first start printed."""
    check_same_site(request)
    check_new_password(body.username, body.password)
    await _check_not_set_up(parts)
    if await parts.stores.accounts.use_one_time(hash_of(body.token), "setup", parts.clock.now()) is None:
        raise _setup_link_used()
    await _add_user(parts, body.username, body.password, "admin")
    await record(parts, body.username, "set up the gateway")
    return {"username": body.username, "role": "admin"}


@router.post("/setup/check", status_code=204)
async def check_set_up(body: Link, request: Request, parts: Parts) -> None:
    """Whether a one-time set-up link can still be used; this uses nothing up.

    401 if it was used or its time is over, 409 if the gateway is set up already.
    """
    check_same_site(request)
    await _check_not_set_up(parts)
    if not await parts.stores.accounts.has_one_time(hash_of(body.token), "setup", parts.clock.now()):
        raise _setup_link_used()


async def _check_not_set_up(parts: ApiParts) -> None:
    if await parts.stores.accounts.users():
        raise Problem(409, "the gateway is set up already", code="set_up_already", remedy="Sign in.")


def _setup_link_used() -> Problem:
    remedy = "Restart the gateway for a new one."
    return Problem(401, "this link was used, or its time is over", code="setup_link_used", remedy=remedy)


async def _add_user(parts: ApiParts, name: str, password: str, role: str) -> None:
    hashed = await parts.passwords.hash(password)
    user = User(name=name, role=role, password=hashed, created=parts.clock.now())
    await parts.stores.accounts.add_user(user)


@router.get("/users")
async def users(_caller: Admin, parts: Parts) -> dict[str, Any]:
    """All accounts."""
    found = await parts.stores.accounts.users()
    return {"items": [{"name": u.name, "role": u.role, "disabled": u.disabled, "created": u.created} for u in found]}


@router.post("/users", status_code=201)
async def add_user(body: NewUser, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Make an account."""
    check_new_password(body.username, body.password)
    await _add_user(parts, body.username, body.password, body.role)
    await record(parts, caller.name, "added user", body.username, body.role)
    return {"name": body.username, "role": body.role, "disabled": False}


@router.patch("/users/{name}")
async def change_user(name: str, body: UserChange, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Change an account; a new password or disabling ends its sessions."""
    if name == caller.name and (body.disabled or body.role not in (None, "admin")):
        raise Problem(409, "you cannot take your own rights away", code="own_rights")
    hashed = None
    if body.password is not None:
        check_new_password(name, body.password)
        hashed = await parts.passwords.hash(body.password)
    await parts.stores.accounts.change_user(name, role=body.role, password=hashed, disabled=body.disabled)
    changed = [key for key in ("role", "password", "disabled") if getattr(body, key) is not None]
    await record(parts, caller.name, "changed user", name, ", ".join(changed))
    return {"name": name, "changed": changed}


@router.get("/tokens")
async def tokens(_caller: Admin, parts: Parts) -> dict[str, Any]:
    """All tokens of programs, without their secrets."""
    found = await parts.stores.accounts.tokens()
    return {"items": [_token(token) for token in found]}


@router.post("/tokens", status_code=201)
async def add_token(body: NewToken, caller: Admin, parts: Parts) -> dict[str, Any]:
    """Make a token; it is shown once."""
    token, text = make_token(body.name, body.role, parts.clock.now(), timedelta(days=body.days) if body.days else None)
    await parts.stores.accounts.add_token(token)
    await record(parts, caller.name, "added token", token.id, f"{body.name}, {body.role}")
    return _token(token) | {"token": text}


@router.delete("/tokens/{identity}", status_code=204)
async def revoke_token(identity: str, caller: Admin, parts: Parts) -> None:
    """End a token."""
    await parts.stores.accounts.revoke_token(identity)
    await record(parts, caller.name, "revoked token", identity)


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created": token.created,
        "ends": token.ends,
        "used": token.used,
        "revoked": token.revoked,
    }
