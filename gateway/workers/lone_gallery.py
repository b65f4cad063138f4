"""A gallery child for one command: started, asked one thing after the other, ended."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self, TypeVar

from gateway.clock import Clock, SystemClock
from gateway.errors import PermanentError
from gateway.wire import (
    CalibrationReply,
    CalibrationRequest,
    ChannelClosedError,
    Failed,
    Message,
    Ready,
    ReembedReply,
    ReembedRequest,
    SealedRow,
)
from gateway.workers.feed import chunks
from gateway.workers.outfit import GALLERY, Outfit
from gateway.workers.process import WorkerProcess
from gateway.workers.replies import WorkerAwayError

M = TypeVar("M", bound=Message)
_NAME = "gallery-command"
_START_SECONDS = 60.0  # the first one builds the face network's graph
_PHOTO_SECONDS = 30.0
_CALIBRATION_SECONDS = 120.0
_STOP_SECONDS = 3.0


class LoneGallery:
    """The child at work; made by `open`.

    Attributes:
        model: fingerprint of the embedder that is configured now.
    """

    def __init__(self, process: WorkerProcess, model: str) -> None:
        self.model = model
        self._process = process
        self._requests = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, outfit: Outfit, clock: Clock | None = None) -> AsyncIterator[Self]:
        """Start the child and wait until its models are loaded; it ends with the block.

        Raises:
            WorkerAwayError: it ended, or was not ready in time; its log says why.
        """
        process = await WorkerProcess.start(GALLERY, _NAME, clock or SystemClock())
        try:
            process.give_way(outfit.vision.nice)
            await process.channel.send(outfit.hello(GALLERY, _NAME))
            yield cls(process, (await _hear(process, Ready, _START_SECONDS)).model)
            await process.stop(_STOP_SECONDS)
        finally:
            await process.close()

    async def reembed(self, *, person: str, photo: str, wrapped_key: bytes, sealed_photo: bytes) -> ReembedReply:
        """The template of an enrolled photo by the model configured now; the reply says why there is none.

        Raises:
            WorkerAwayError: the child ended or is silent.
        """
        self._requests += 1
        await self._process.channel.send(
            ReembedRequest(
                request=self._requests,
                person=person,
                photo=photo,
                wrapped_key=wrapped_key,
                sealed_photo=sealed_photo,
            )
        )
        return await _hear(self._process, ReembedReply, _PHOTO_SECONDS)

    async def calibrate(
        self, revision: int, rows: Sequence[SealedRow], request: CalibrationRequest
    ) -> CalibrationReply:
        """What thresholds mean for a list of these rows.

        Raises:
            WorkerAwayError: the child ended or is silent.
            PermanentError: nothing can be told from these counts.
        """
        for chunk in chunks(revision, rows):
            await self._process.channel.send(chunk)
        self._requests += 1
        await self._process.channel.send(replace(request, request=self._requests))
        reply = await _hear(self._process, CalibrationReply, _CALIBRATION_SECONDS)
        if reply.refusal:
            raise PermanentError(reply.refusal, where="calibration")
        return reply


async def _hear(process: WorkerProcess, kind: type[M], seconds: float) -> M:
    """The next message of a kind; heartbeats and the like in between are passed over."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                received = await process.channel.receive()
                for descriptor in received.fds:
                    os.close(descriptor)
                if isinstance(received.message, kind):
                    return received.message
                if isinstance(received.message, Failed):
                    raise WorkerAwayError(received.message.what, remedy=received.message.remedy)
    except TimeoutError:
        raise WorkerAwayError(f"the gallery child did not answer within {seconds:.0f} s", remedy="Try again.") from None
    except ChannelClosedError:
        raise WorkerAwayError("the gallery child ended; its reason is above") from None
