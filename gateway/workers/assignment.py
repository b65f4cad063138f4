"""Turns a camera's entry into what its child is told, with the password out of its file."""

import asyncio
from pathlib import Path

from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.wire import CameraAssigned


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
        PermanentError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise PermanentError(
            f"the password file {path} cannot be read ({reason})",
            where=f"camera {camera}",
            remedy="Correct password_file, or the file's owner and mode.",
        ) from None
