"""Encryption of SIA DC-09 (§5.4): AES-CBC with a zero vector, padded at the front."""

import os
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.alarms.sia.frame import FrameError
from gateway.errors import PermanentError

_BLOCK = 16
_KEY_BYTES = (16, 24, 32)
_PAD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_HEX = re.compile(r"[0-9A-Fa-f]+")


def key_of(text: str) -> bytes:
    """A key of 16, 24 or 32 bytes, from hex digits or, as some panels want it, from as many ASCII characters.

    Text of 32 hex digits is a key of 128 bits; ``ascii:`` or ``hex:`` before it says which is meant.

    Raises:
        PermanentError: it is neither.
    """
    notation, colon, rest = text.strip().partition(":")
    if not colon or notation not in ("ascii", "hex"):
        notation, rest = "", text.strip()
    if notation != "ascii" and _HEX.fullmatch(rest) and len(rest) in [2 * size for size in _KEY_BYTES]:
        return bytes.fromhex(rest)
    if notation != "hex" and rest.isascii() and len(rest) in _KEY_BYTES:
        return rest.encode()
    remedy = "Give 32, 48 or 64 hex digits, or 16, 24 or 32 ASCII characters."
    raise PermanentError("the key of an alarm panel has neither notation", where="sia.accounts", remedy=remedy)


def encrypt(key: bytes, plain: bytes) -> bytes:
    """The cipher text of ``pad | plain`` as hex digits in capitals."""
    missing = -(len(plain) + 1) % _BLOCK
    pad = bytes(_PAD[byte % len(_PAD)] for byte in os.urandom(missing))
    encryptor = _cipher(key).encryptor()
    return (encryptor.update(pad + b"|" + plain) + encryptor.finalize()).hex().upper().encode()


def decrypt(key: bytes, digits: bytes) -> bytes:
    """What `digits` hold, without its padding.

    Raises:
        FrameError: they are no cipher text under this key.
    """
    try:
        blocks = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise FrameError("its cipher text is no row of hex digits") from None
    if not blocks or len(blocks) % _BLOCK:
        raise FrameError("its cipher text is no whole number of blocks")
    decryptor = _cipher(key).decryptor()
    plain = decryptor.update(blocks) + decryptor.finalize()
    pad, bar, rest = plain.partition(b"|")
    if not bar or len(pad) >= _BLOCK or b"]" not in rest:
        raise FrameError("cannot be read with the account's key")
    return rest


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(bytes(_BLOCK)))
