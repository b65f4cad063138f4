"""The hash chain that makes a later change of the journal or the audit trail visible.

The chain covers a salted digest of the body: its hashes can be shown to others without giving any body away.
"""

import hashlib

GENESIS = bytes(32)


def chain_hash(previous: bytes, position: int, identity: str, salt: bytes, body: bytes) -> bytes:
    """SHA-256 over the hash before, the position, the id and the salted digest of the body; 32 bytes."""
    digest = hashlib.sha256(salt + body).digest()
    return hashlib.sha256(previous + position.to_bytes(8, "big") + identity.encode() + digest).digest()
