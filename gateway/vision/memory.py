"""Sealed shared memory: readers can map it and not change it, nor can its size change (memfd_create(2), fcntl(2))."""

import ctypes
import fcntl
import mmap
import os

import numpy as np

from gateway.errors import PermanentError

# Linux 5.1; Python names it from 3.13 on. What maps the memory from now on can only read.
_FUTURE_WRITE = 0x0010
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class SealedMemory:
    """One descriptor over zeroed bytes of one size, which this object's map alone can write.

    Args:
        size: in bytes, at least 1.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.descriptor = os.memfd_create("watch-list", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, size)
            self._map = mmap.mmap(self.descriptor, size)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS | _FUTURE_WRITE)
        except OSError:
            os.close(self.descriptor)
            raise
        self.locked = False

    def lock(self) -> bool:
        """Keep the pages out of swap as long as this object lives, where RLIMIT_MEMLOCK allows it."""
        address = np.frombuffer(self._map, np.uint8).ctypes.data
        libc = ctypes.CDLL(None, use_errno=True)
        self.locked = libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(self.size)) == 0
        return self.locked

    def view(self) -> memoryview:
        """The bytes, to be filled."""
        return memoryview(self._map)

    def close(self) -> None:
        """Close the descriptor; maps of it stay until their readers let go."""
        os.close(self.descriptor)


def map_sealed(descriptor: int, size: int) -> memoryview:
    """The bytes of a sealed memory that another process made, read-only; the descriptor is closed.

    Raises:
        PermanentError: it is not sealed, so that it could shrink under the reader or be changed by anybody, or smaller
            than said.
    """
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        writable = not seals & (_FUTURE_WRITE | fcntl.F_SEAL_WRITE)
        if seals & _SEALS != _SEALS or writable or os.fstat(descriptor).st_size < size:
            raise PermanentError("the shared memory is not sealed or not whole")
        return memoryview(mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ))
    except (OSError, ValueError) as error:
        raise PermanentError(f"the shared memory cannot be mapped ({error})") from None
    finally:
        os.close(descriptor)
