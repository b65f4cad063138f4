"""The running gateway's interface for a command on its own machine: with a token that lives as long as the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from gateway.cli.local import with_accounts
from gateway.cli.status import address_of
from gateway.cli.unanswered import unanswered
from gateway.errors import PermanentError, TransientError
from gateway.settings import Settings
from gateway.storage import AccountDesk, make_token

_NAME = "command line"
_SECONDS = 120.0
_LIVES = timedelta(minutes=10)


@contextmanager
def interface(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the gateway that runs on these settings, as an administrator; who may read its state may be one.

    Raises:
        GatewayError: there is no state, or this user may not change it.
    """
    address, verify = address_of(settings)
    now = datetime.now(UTC)
    token, text = make_token(_NAME, "admin", now, _LIVES)

    async def add(desk: AccountDesk) -> None:
        for left in await desk.accounts.tokens():  # by commands that were killed
            if left.name == _NAME and left.ends is not None and left.ends < now:
                await desk.accounts.forget_token(left.id)
        await desk.accounts.add_token(token)
        await desk.audit.append(at=now, actor=_NAME, action="added token", subject=token.id, detail="for one command")

    async def forget(desk: AccountDesk) -> None:
        await desk.accounts.forget_token(token.id)

    with_accounts(settings, add)
    try:
        headers = {"Authorization": f"Bearer {text}"}
        with httpx.Client(
            base_url=f"{address}/api/v1", headers=headers, verify=verify, timeout=_SECONDS, trust_env=False
        ) as client:
            yield client
    finally:
        with_accounts(settings, forget)


def asked(client: httpx.Client, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # httpx's
    """What the interface answers.

    Raises:
        TransientError: no gateway answers.
        PermanentError: it refuses, in its words.
    """
    try:
        answer = client.request(method, path, **more)
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        where, remedy = str(client.base_url), "Does it run? systemctl start campus-gateway, or campus-gateway run."
        raise TransientError(f"does not answer ({unanswered(error)})", where=where, remedy=remedy) from None
    if answer.is_success:
        return body
    what = str(body.get("detail") or f"answered HTTP {answer.status_code}")
    raise PermanentError(what, where=str(body.get("where") or path), remedy=str(body.get("remedy") or ""))
