"""Turns a camera's entry into what its child is told, with the password out of its file."""

import asyncio
from pathlib import Path

from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.wire import CameraAssigned


async def assignment(camera: CameraSettings, networks: tuple[str, ...] | None = None) -> CameraAssigned:
    """The message that gives `camera` to a child; `networks`: where its address must lead to, or anywhere.

    Raises:
        PermanentError: the password file cannot be read.
    """
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
        password=await _password(camera),
    )


async def _password(camera: CameraSettings) -> str:
    if camera.password is not None:
        return camera.password.get_secret_value()
    if camera.password_file is None:
        return ""
    return await asyncio.to_thread(_read, camera.password_file, camera.id)


def _read(path: Path, camera: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise PermanentError(
            f"the password file {path} cannot be read ({reason})",
            where=f"camera {camera}",
            remedy="Correct password_file, or the file's owner and mode.",
        ) from None
