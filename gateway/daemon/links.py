"""One-time links: the set-up of the first administrator, and the demo's sign-in."""

import logging
import os
import sys
from datetime import timedelta
from pathlib import Path

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.storage import Stores, hash_of, new_token

_SETUP_MINUTES = 15
_log = logging.getLogger(__name__)


async def offer_setup(stores: Stores, clock: Clock, url: str, directory: Path) -> None:
    """Show a link for the first administrator, if there is none; on a full disk presses are taken without it."""
    try:
        if (link := await setup_link(stores, clock, url)) is not None:
            show_setup_link(link, directory)
    except (TransientError, OSError) as error:
        _log.error("no set-up link could be made, restart the gateway once it can write again: %s", error)


def mark_running(marker: Path) -> bool:
    """Leave a file that an orderly end removes; whether the last end was one. A full disk keeps it from being there."""
    clean = not marker.exists()
    try:
        marker.touch()
    except OSError as error:
        _log.error("%s cannot be written: %s", marker, error.strerror)
    return clean


async def setup_link(stores: Stores, clock: Clock, url: str) -> str | None:
    """A link for the first administrator, good for 15 minutes and once; None if there are accounts already."""
    if await stores.accounts.users():
        return None
    token = new_token()
    ends = clock.now() + timedelta(minutes=_SETUP_MINUTES)
    await stores.accounts.add_one_time(hash_of(token), "setup", "", ends)
    return f"{url}/#setup={token}"


async def signin_link(stores: Stores, clock: Clock, url: str, user: str) -> str:
    """A link that signs `user` in once, good for 15 minutes."""
    token = new_token()
    ends = clock.now() + timedelta(minutes=_SETUP_MINUTES)
    await stores.accounts.add_one_time(hash_of(token), "signin", user, ends)
    return f"{url}/#signin={token}"


def show_setup_link(link: str, directory: Path) -> None:
    """Print the link; where stdout is a log (systemd's journal), write it to a file that only this user can read."""
    if "JOURNAL_STREAM" not in os.environ:
        print(f"set-up link (15 minutes, once): {link}", flush=True)  # noqa: T201  # what `run` prints
        return
    path = directory / "setup-link"
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(link + "\n")
    print(f"set-up link (15 minutes, once) is in {path}", file=sys.stderr, flush=True)  # noqa: T201  # what `run` prints
