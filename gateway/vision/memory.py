"""Sealed shared memory: bytes that readers can map and nobody can change any more (memfd_create(2), fcntl(2))."""

import ctypes
import fcntl
import mmap
import os

import numpy as np

from gateway.errors import PermanentError

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class SealedMemory:
    """One descriptor over bytes that stay as they are.

    Args:
        content: at least one byte.
    """

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self.descriptor = os.memfd_create("watch-list", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            _write(self.descriptor, content)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except OSError:
            os.close(self.descriptor)
            raise
        self.locked = False
        self._map = mmap.mmap(self.descriptor, self.size, mmap.MAP_SHARED, mmap.PROT_READ)

    def lock(self) -> bool:
        """Keep the pages out of swap as long as this object lives, where RLIMIT_MEMLOCK allows it."""
        address = np.frombuffer(self._map, np.uint8).ctypes.data
        libc = ctypes.CDLL(None, use_errno=True)
        self.locked = libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(self.size)) == 0
        return self.locked

    def view(self) -> memoryview:
        """The bytes, read-only."""
        return memoryview(self._map)

    def close(self) -> None:
        """Close the descriptor; maps of it stay until their readers let go."""
        os.close(self.descriptor)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def map_sealed(descriptor: int, size: int) -> memoryview:
    """The bytes of a sealed memory that another process made, read-only; the descriptor is closed.

    Raises:
        PermanentError: it is not sealed, so that it could shrink or change under the reader, or smaller than said.
    """
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        if seals & _SEALS != _SEALS or os.fstat(descriptor).st_size < size:
            raise PermanentError("the shared memory is not sealed or not whole")
        return memoryview(mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ))
    except (OSError, ValueError) as error:
        raise PermanentError(f"the shared memory cannot be mapped ({error})") from None
    finally:
        os.close(descriptor)
