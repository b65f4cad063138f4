"""Gets a camera's newest picture from whichever child has one; who asks for the same one at once shares it."""

import asyncio
from collections.abc import Sequence

from gateway.errors import TransientError
from gateway.wire import PictureRequest
from gateway.workers.replies import WorkerAwayError
from gateway.workers.supervisor import WorkerSupervisor

_SECONDS = 5.0


class NoPictureError(TransientError):
    """No child has a picture of the camera now."""

    code = "no_picture"


class Pictures:
    """Requests for pictures under way, by camera and width."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, int], asyncio.Task[bytes]] = {}

    async def get(self, camera: str, width: int, workers: Sequence[WorkerSupervisor]) -> bytes:
        """A JPEG at most `width` px wide from the first of `workers` that has one.

        Raises:
            NoPictureError: none has one.
        """
        key = (camera, width)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(_get(camera, width, workers), name=f"picture of {camera}")
            task.add_done_callback(lambda done: self._settle(key, done))
        return await asyncio.shield(task)

    def _settle(self, key: tuple[str, int], done: asyncio.Task[bytes]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # those who asked may all have gone

    async def close(self) -> None:
        """End what is under way."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _get(camera: str, width: int, workers: Sequence[WorkerSupervisor]) -> bytes:
    refusals: list[str] = []
    for worker in workers:
        try:
            reply = await worker.ask_picture(
                lambda number: PictureRequest(request=number, camera=camera, width=width), _SECONDS
            )
        except WorkerAwayError as error:
            refusals.append(error.what)
            continue
        if reply.jpeg:
            return reply.jpeg
        refusals.append(reply.refusal)
    raise NoPictureError("; ".join(refusals) or "it has no child", where=f"camera {camera}", remedy="Try again soon.")
