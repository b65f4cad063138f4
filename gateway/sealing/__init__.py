"""Secrets at rest: sealing with AES-256-GCM, keys derived by purpose, keys wrapped by keys; pure, no files.

A sealed text is ``version (1 byte) | nonce (12 bytes, random) | ciphertext and tag`` (NIST SP 800-38D). What it
belongs to goes into the associated data, so that a sealed text cannot be moved to another record.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import PermanentError

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
OVERHEAD_BYTES = 1 + _NONCE_BYTES + _TAG_BYTES


class SealError(PermanentError):
    """A sealed text cannot be opened: another key, another record, or it was changed."""


def new_key() -> bytes:
    """A random key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def derive_key(master: bytes, purpose: str) -> bytes:
    """The key of one purpose under a master key: HKDF-SHA256 (RFC 5869), `purpose` as its info.

    Args:
        master: 32 bytes.
        purpose: a stable name such as ``people``.

    Returns:
        32 bytes; the same for the same arguments.
    """
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"campus-gateway/" + purpose.encode()).derive(
        master
    )


def associated(*parts: str) -> bytes:
    """Associated data of several parts, each with its length, so that none can run into the next."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def seal(key: bytes, plain: bytes, aad: bytes) -> bytes:
    """Encrypt and authenticate `plain` under a key of 32 bytes; 29 bytes longer than it."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, aad)


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Open what `seal` made with the same key and associated data.

    Raises:
        SealError: it is none, or not of this key and record.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[:1] != _VERSION:
        raise SealError("not a sealed text of this version")
    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, rest, aad)
    except InvalidTag:
        raise SealError("cannot be opened with this key", remedy="Restore the key that it was sealed with.") from None


def wrap_key(wrapping: bytes, key: bytes, owner: str) -> bytes:
    """Seal a key under another one; bound to its owner."""
    return seal(wrapping, key, associated("key", owner))


def unwrap_key(wrapping: bytes, wrapped: bytes, owner: str) -> bytes:
    """Open a wrapped key.

    Raises:
        SealError: it is not of this wrapping key and owner.
    """
    return unseal(wrapping, wrapped, associated("key", owner))
