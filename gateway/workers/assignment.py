"""Turns a camera's entry into what its child is told, with the password out of its file."""

import asyncio
import errno
import os
import stat
from pathlib import Path

from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.wire import CameraAssigned

_LONGEST_PASSWORD = 4_096


def assignment(camera: CameraSettings, password: str, networks: tuple[str, ...] | None = None) -> CameraAssigned:
    """The message that gives `camera` to a child; `networks`: where its address must lead to, or anywhere."""
    return CameraAssigned(
        camera=camera.id,
        name=camera.name or camera.id,
        place=camera.place,
        url=camera.url,
        watch_faces=camera.watch_faces,
        loop=camera.loop,
        looks_per_second=camera.looks_per_second,
        sub_url=camera.sub_url or "",
        username=camera.username,
        tls_fingerprint=camera.tls_fingerprint,
        networks=networks,
        password=password,
    )


async def password_of(camera: CameraSettings) -> str:
    """The password of its entry or of its file; empty if it has none.

    Raises:
        PermanentError: the password file cannot be read.
    """
    if camera.password is not None:
        return camera.password.get_secret_value()
    if camera.password_file is None:
        return ""
    return await asyncio.to_thread(read_password, camera.password_file, camera.id)


def read_password(path: Path, camera: str) -> str:
    """What stands in the password file of a camera.

    Raises:
        PermanentError: it cannot be read, or is something else, such as a pipe that nobody writes into.
    """
    try:
        return _small_file(path).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise PermanentError(
            f"the password file {path} cannot be read ({reason})",
            where=f"camera {camera}",
            remedy="Correct password_file, or the file's owner and mode.",
        ) from None


def _small_file(path: Path) -> bytes:
    """All of an ordinary file of at most 4 KiB; it is looked at again and again, and may have become anything."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no ordinary file")
        found = file.read(_LONGEST_PASSWORD + 1)
    if len(found) > _LONGEST_PASSWORD:
        raise OSError(errno.EFBIG, f"has more than {_LONGEST_PASSWORD} bytes")
    return found
