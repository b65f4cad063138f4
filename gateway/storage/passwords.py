"""Password hashes: argon2id (RFC 9106), in a thread, one or two at a time so that a flood of tries costs little."""

import asyncio

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

_MEBIBYTES = 46
_AT_ONCE = 2


class PasswordHasher:
    """Makes and checks hashes in PHC form, with 46 MiB, one pass and one lane (OWASP's equal of 19 MiB and two)."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=_MEBIBYTES * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The hash of a password."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, hashed: str, password: str) -> bool:
        """Whether the password is the hash's."""
        async with self._slots:
            return await asyncio.to_thread(self._verify, hashed, password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
