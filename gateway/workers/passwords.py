"""Reads the password files of cameras again, so that a corrected password needs no restart."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.settings import CameraSettings
from gateway.workers.assignment import read_password

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0
# Cameras lock a user out: the first correction is tried at once, the next ones once in so many seconds.
_LEAST_SECONDS = 300.0


@dataclass(slots=True, eq=False)
class _File:
    """A camera with a password file.

    `taken`: the password that the camera was given; None: none could be read yet. `seen`: what stood there at the last
    look, if it was another one. `taken_at`: when a changed one was given last (monotonic s).
    """

    camera: CameraSettings
    taken: str | None = field(repr=False)
    seen: str | None = field(default=None, repr=False)
    taken_at: float | None = None
    unreadable: bool = False


class PasswordFiles:
    """Looks at the files of cameras every few seconds.

    A changed file is taken when it was found the same twice, for an editor may be at it, and only for a camera that
    needs another password: what works is not disturbed.

    Args:
        give: gives the camera to its children, with the password.
        needs_password: whether a camera does not let us in now.
        clock: the gateway's.
    """

    def __init__(
        self,
        give: Callable[[CameraSettings, str], Awaitable[None]],
        needs_password: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._give = give
        self._needs_password = needs_password
        self._clock = clock
        self._files: dict[str, _File] = {}

    def note(self, camera: CameraSettings, password: str | None) -> None:
        """A camera was given with this password, or could not be: None."""
        self._files.pop(camera.id, None)
        if camera.password_file is not None:
            self._files[camera.id] = _File(camera, password)

    def forget(self, camera: str) -> None:
        """A camera was withdrawn."""
        self._files.pop(camera, None)

    async def run(self) -> None:
        """Look for ever; a fault of ours must not end the alarm house."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            for file in tuple(self._files.values()):
                try:
                    await self._look(file)
                except Exception:
                    _LOG.exception("camera %s: its password file", file.camera.id)

    async def _look(self, file: _File) -> None:
        found = await self._read(file)
        settled, file.seen = found == file.seen, found
        if not found or found == file.taken or not settled or self._files.get(file.camera.id) is not file:
            return
        now = self._clock.monotonic()
        if not self._needs_password(file.camera.id):
            file.taken_at = None  # what was given last was right
            return
        if file.taken_at is not None and now - file.taken_at < _LEAST_SECONDS:
            return
        file.taken, file.taken_at = found, now
        _LOG.info("camera %s: its password file has changed; it is tried at once", file.camera.id)
        await self._give(file.camera, found)

    async def _read(self, file: _File) -> str | None:
        assert file.camera.password_file is not None  # noqa: S101  # others are not noted
        try:
            found = await asyncio.to_thread(read_password, file.camera.password_file, file.camera.id)
        except PermanentError as error:
            if not file.unreadable:
                _LOG.warning("%s", error)
            file.unreadable = True
            return None
        file.unreadable = False
        return found
