"""One-time links: the set-up of the first administrator, and the demo's sign-in."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from gateway.api import hash_of, new_token
from gateway.clock import Clock
from gateway.storage import Stores

_SETUP_MINUTES = 15


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
