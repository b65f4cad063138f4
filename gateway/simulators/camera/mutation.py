"""Spoils answers at random, the same ones for the same seed: what a client must read or refuse."""

import random
from collections.abc import Callable

_LARGEST = 64 * 1024
_MOST_CHANGES = 12
_PIECES = (
    *(b"<", b">", b"&", b"\x00", b'"', b"<!--", b"]]>", b"<![CDATA[", b"&#x0;", b"\xff"),
    *(b"\r\n", b"\r\n\r\n", b":", b"$\x00\xff\xff", b"Content-Length: 99999999\r\n", b"RTSP/1.0 ", b"a=control:", b"%"),
)


def mutated(answer: bytes, chance: random.Random) -> bytes:
    """`answer` with one to twelve changes; at most 64 KiB of it."""
    body = bytearray(answer)
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        if not body:
            break
        _change(body, chance.randrange(len(body)), chance)
    return bytes(body[:_LARGEST])


def _change(body: bytearray, at: int, chance: random.Random) -> None:
    match chance.randrange(6):
        case 0:
            body[at] = chance.randrange(256)
        case 1:
            del body[at : at + chance.randint(1, 40)]
        case 2:
            body[at:at] = chance.choice(_PIECES)
        case 3:
            body[at:at] = body[at : at + chance.randint(1, 200)]
        case 4:
            body[at:at] = b"<x>" * chance.randint(1, 50)
        case _:
            body[at:at] = str(chance.randint(-(10**30), 10**30)).encode()


class Mutator:
    """Spoils every other answer on its way out: its body, so that its length is right, or the whole of it.

    Attributes:
        count: answers that were spoilt.
    """

    def __init__(self, seed: float) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # makes mistakes, keeps no secret
        self.count = 0

    def encoded(self, encode: Callable[[bytes], bytes], body: bytes) -> bytes:
        """The bytes of an answer, made by `encode` of its body."""
        how = self._chance.randrange(4)
        if how > 1:
            return encode(body)
        self.count += 1
        return encode(mutated(body, self._chance)) if how and body else mutated(encode(body), self._chance)
