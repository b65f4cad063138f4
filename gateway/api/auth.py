"""Who calls: session cookie or bearer token, the role they have, and no request forged by another site."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from gateway.api.parts import ApiParts
from gateway.api.problems import Problem
from gateway.api.turns import CrowdedError
from gateway.clock import doubled
from gateway.errors import TransientError
from gateway.settings import ApiSettings
from gateway.storage import ApiToken, Post, Session, User, hash_of, new_token

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_FREE_TRIES = 3
_LONGEST_WAIT_SECONDS = 60.0
_TOUCH_SECONDS = 60.0
_CROWD_SECONDS = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls.

    Attributes:
        name: of the account or token.
        key: hash of the session or token, to count streams and to end it.
        post: the enrolled post whose browser it is; None if it is none.
    """

    name: str
    role: str
    key: str
    by_cookie: bool
    post: Post | None = None

    @property
    def sees_discreet(self) -> bool:
        """Whether silent and duress presses may be told: to programs, and to browsers that are marked discreet-safe."""
        return not self.by_cookie or (self.post is not None and self.post.discreet_safe)


def parts_of(request: Request) -> ApiParts:
    """The parts that the application was made with."""
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(parts_of)]


def cookie_name(parts: ApiParts) -> str:
    """The session cookie's name here."""
    return session_cookie(parts.settings.api)


def session_cookie(settings: ApiSettings) -> str:
    """``__Host-`` binds the cookie to this host and TLS; without TLS (loopback only) browsers would refuse it."""
    return "__Host-session" if settings.tls == "auto" else "session"


def post_cookie_name(parts: ApiParts) -> str:
    """The cookie of an enrolled browser; it lets nobody in, it only says which screen this is."""
    return "__Host-post" if parts.settings.api.tls == "auto" else "post"


async def principal_of(request: Request, parts: Parts) -> Principal:
    """Who calls, or 401."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return await _by_token(parts, header.removeprefix("Bearer ").strip())
    cookie = request.cookies.get(cookie_name(parts), "")
    found = await _by_session(parts, hash_of(cookie)) if cookie else None
    if found is None:
        raise Problem(401, "no valid session or token", code="not_signed_in", remedy="Sign in: POST /api/v1/session.")
    check_same_site(request)
    session, user = found
    post = parts.posts.of_token(request.cookies.get(post_cookie_name(parts), ""))
    return Principal(name=user.name, role=user.role, key=session.key, by_cookie=True, post=post)


async def _by_session(parts: ApiParts, key: str) -> tuple[Session, User] | None:
    found = await live_session(parts, key)
    parts.known.note(key, good=found is not None)
    return found


async def is_good(parts: ApiParts, key: str) -> bool:
    """Whether a hash is of a session or token that is good now; that is noted."""
    token = await parts.stores.accounts.token(key)
    good = _is_live(token, parts) if token is not None else await live_session(parts, key) is not None
    parts.known.note(key, good=good)
    return good


async def live_session(parts: ApiParts, key: str) -> tuple[Session, User] | None:
    """A session that has not ended, of an account that is not disabled."""
    found = await parts.stores.accounts.session(key)
    if found is None:
        return None
    session, user = found
    now = parts.clock.now()
    idle = timedelta(minutes=parts.settings.api.session_idle_minutes)
    if user.disabled or session.ends <= now or session.seen + idle <= now:
        return None
    if (now - session.seen).total_seconds() > _TOUCH_SECONDS:
        await parts.stores.accounts.touch_session(key, now)
    return session, user


async def still_allowed(parts: ApiParts, caller: Principal) -> bool:
    """Whether the session or token that a long answer began with is still good, and role and post what they were."""
    if caller.by_cookie:
        found = await live_session(parts, caller.key) if _is_same_post(parts, caller.post) else None
        return found is not None and found[1].role == caller.role
    token = await parts.stores.accounts.token(caller.key)
    return token is not None and _is_live(token, parts)


def _is_same_post(parts: ApiParts, post: Post | None) -> bool:
    now = next((each for each in parts.posts.all() if post is not None and each.id == post.id), None)
    return post is None or (now is not None and now.discreet_safe == post.discreet_safe)


async def _by_token(parts: ApiParts, text: str) -> Principal:
    key = hash_of(text)
    token = await parts.stores.accounts.token(key)
    good = token is not None and _is_live(token, parts)
    parts.known.note(key, good=good)
    if token is None or not good:
        raise Problem(
            401, "no valid session or token", code="not_signed_in", remedy="campus-gateway token list shows which live."
        )
    now = parts.clock.now()
    if token.used is None or (now - token.used).total_seconds() > _TOUCH_SECONDS:
        await parts.stores.accounts.touch_token(token.id, now)
    return Principal(name=f"token {token.name}", role=token.role, key=token.key, by_cookie=False)


def _is_live(token: ApiToken, parts: ApiParts) -> bool:
    return not token.revoked and (token.ends is None or token.ends > parts.clock.now())


def check_same_site(request: Request) -> None:
    """Refuse what another site sends in the name of a signed-in browser (Fetch Metadata; else Origin)."""
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        genuine = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        genuine = origin is None or origin.split("://", 1)[-1] == request.headers.get("Host")
    if not genuine:
        raise Problem(403, "the request comes from another site", code="other_site")


Caller = Annotated[Principal, Depends(principal_of)]


class Role:
    """A dependency that lets only some roles through."""

    def __init__(self, *roles: str) -> None:
        self._roles = roles

    async def __call__(self, caller: Caller) -> Principal:
        """The caller, or 403."""
        if caller.role not in self._roles:
            raise Problem(
                403,
                f"the role {caller.role} may not do this",
                code="role_not_allowed",
                role=caller.role,
                needs=self._roles,
                remedy=f"It needs {' or '.join(self._roles)}.",
            )
        return caller


PEOPLE_ROLES = ("guard", "admin")
Guard = Annotated[Principal, Depends(Role(*PEOPLE_ROLES))]
Admin = Annotated[Principal, Depends(Role("admin"))]
Auditor = Annotated[Principal, Depends(Role("auditor", "admin"))]


async def check_password(parts: ApiParts, name: str, password: str, network: str) -> User:
    """The account of a name and password; unknown names take as long, and failures slow the next try down.

    Tries of one account from one network go one after the other, so that each knows of the failures before it; those of
    one network have one hash at a time, so that a flood from one leaves the other networks theirs.

    Raises:
        Problem: 401 wrong, 429 too many tries.
    """
    try:
        with parts.sign_ins.one(network):
            async with parts.turns.of(name, network):
                return await _try_password(parts, name, password, network)
    except CrowdedError:
        raise Problem(
            429,
            "too many people sign in from this address at once",
            code="crowded",
            seconds=_CROWD_SECONDS,
            headers={"Retry-After": str(_CROWD_SECONDS)},
            remedy=f"Try again in {_CROWD_SECONDS} s.",
        ) from None


async def _try_password(parts: ApiParts, name: str, password: str, network: str) -> User:
    accounts = parts.stores.accounts
    failures = await accounts.failures(name, network)
    if failures is not None and failures.count >= _FREE_TRIES:
        wait = doubled(1.0, _LONGEST_WAIT_SECONDS, failures.count - _FREE_TRIES)
        left = wait - (parts.clock.now() - failures.last).total_seconds()
        if left > 0:
            wait = int(left) + 1
            detail = f"too many tries; wait {wait} s"
            raise Problem(429, detail, code="too_many_tries", seconds=wait, headers={"Retry-After": str(wait)})
    user = await accounts.user(name)
    async with parts.turns.of(network):
        right = await parts.passwords.verify(user.password if user else parts.decoy_hash, password)
    if user is None or not right or user.disabled:
        await accounts.note_failure(name, network, parts.clock.now())
        raise Problem(401, "user name or password is wrong", code="wrong_credentials")
    if failures is not None:
        await accounts.clear_failures(name, network)
    return user


async def open_session(parts: ApiParts, user: str) -> str:
    """A new session; its token, which is shown once."""
    token = new_token()
    now = parts.clock.now()
    ends = now + timedelta(hours=parts.settings.api.session_hours)
    session = Session(key=hash_of(token), user=user, created=now, seen=now, ends=ends)
    await parts.stores.accounts.open_session(session)
    parts.known.note(session.key, good=True)
    return token


async def record(parts: ApiParts, caller: str, action: str, subject: str = "", detail: str = "") -> None:
    """Write a change into the audit trail; a full disk does not undo what was done, the log has it then."""
    try:
        await parts.stores.audit.append(
            at=parts.clock.now(), actor=caller, action=action, subject=subject, detail=detail
        )
    except TransientError as error:
        _log.error("not in the audit trail: %s did %s %s: %s", caller, action, subject, error)
