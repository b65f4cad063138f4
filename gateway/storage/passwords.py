"""Password hashes: argon2id (RFC 9106), in a thread that gives way, one at a time: a flood of tries costs no press."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import PermanentError

_MEBIBYTES = 46
_NICER = 10


class PasswordHasher:
    """Makes and checks hashes in PHC form, with 46 MiB, one pass and one lane (OWASP's equal of 19 MiB and two)."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=_MEBIBYTES * 1024, parallelism=1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_give_way)

    async def hash(self, password: str) -> str:
        """The hash of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hasher.hash, password)

    async def verify(self, hashed: str, password: str) -> bool:
        """Whether the password is the hash's."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._verify, hashed, password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _give_way() -> None:
    """Let this thread run behind the others (Linux counts niceness by thread, setpriority(2))."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICER))


def check_new_password(name: str, password: str) -> None:
    """At least 12 characters, and neither the name nor one character again and again (NIST SP 800-63B §5.1.1.2).

    Raises:
        PermanentError: why it is refused.
    """
    minimum, distinct = 12, 5
    if len(password) < minimum:
        what = f"the password has {len(password)} characters"
        remedy = f"Use at least {minimum}."
        raise PermanentError(what, remedy=remedy, code="password_short", length=len(password), minimum=minimum)
    if name.lower() in password.lower() or "campus" in password.lower() or len(set(password)) < distinct:
        raise PermanentError(
            "the password is easy to guess", remedy="Leave out names; use several words.", code="password_easy"
        )
