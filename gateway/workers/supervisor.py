"""Keeps one child alive: starts it, lets its life be watched, starts it anew, and speaks with it meanwhile."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gateway.clock import Clock, wait_at_most
from gateway.errors import GatewayError
from gateway.wire import ChannelClosedError, Failed, Heartbeat, Hello, Message, PictureReply, Ready, Received
from gateway.workers.births import Births, Turn
from gateway.workers.budget import RestartBudget
from gateway.workers.life import LifeRules, WorkerLife
from gateway.workers.process import StartWorker, WorkerProcess
from gateway.workers.replies import Replies
from gateway.workers.states import WorkerStage, WorkerState

_LOG = logging.getLogger(__name__)

R = TypeVar("R", bound=Message)


class WorkerOwner(Protocol):
    """Who wants to know of a child's life; called on the loop, in order."""

    async def worker_ready(self, worker: "WorkerSupervisor") -> None:
        """It can work: give it what it works on."""
        ...

    async def worker_said(self, worker: "WorkerSupervisor", received: Received) -> None:
        """A message other than ready, heartbeat and replies; the owner closes its descriptors."""
        ...

    async def worker_beat(self, worker: "WorkerSupervisor", heartbeat: Heartbeat) -> None:
        """A heartbeat."""
        ...

    async def worker_gone(self, worker: "WorkerSupervisor", *, looping: bool) -> None:
        """It ended unasked; `looping` once it is in a crash loop."""
        ...

    async def worker_over(self, worker: "WorkerSupervisor") -> None:
        """It ended as it was asked to, or was killed for not doing so; it says no more."""
        ...


class WorkerSupervisor:
    """One child over all its lives.

    Args:
        hello: its first message; holds role and name.
        owner: is told of its life.
        rules: the time limits.
        clock: the gateway's.
        budget: how often and how fast it is started anew.
        start: starts its process.
        births: whose turn it is to start; None: this one need not wait.
    """

    def __init__(
        self,
        hello: Hello,
        owner: WorkerOwner,
        rules: LifeRules,
        clock: Clock,
        budget: RestartBudget | None = None,
        start: StartWorker = WorkerProcess.start,
        births: Births | None = None,
    ) -> None:
        self.name = hello.worker
        self.role = hello.role
        self._hello = hello
        self._owner = owner
        self._rules = rules
        self._clock = clock
        self._budget = budget or RestartBudget()
        self._start = start
        self._births = births
        self._turn: Turn | None = None
        self._replies = Replies(self.name)
        self._stopping = asyncio.Event()
        self._life: WorkerLife | None = None
        self._lives = 0
        self._ready: Ready | None = None
        self._beat: Heartbeat | None = None
        self._reason = ""
        self._failed: Failed | None = None

    @property
    def ready(self) -> bool:
        """Whether the child lives and can work."""
        return self._ready is not None

    @property
    def looping(self) -> bool:
        """Whether the child is in a crash loop; it may be up between two crashes."""
        return self._budget.looping

    def state(self) -> WorkerState:
        """The child as it is now; `cameras` is left to who gave it some."""
        ready, beat = self._ready or Ready(worker=self.name), self._beat
        return WorkerState(
            name=self.name,
            role=self.role,
            stage=self._stage(),
            pid=self._life.process.pid if self._life else 0,
            restarts=max(0, self._lives - 1),
            reason=self._reason,
            remedy=self._failed.remedy if self._failed else "",
            detail=ready.detail,
            detector=ready.detector,
            model=ready.model,
            silent_seconds=self._life.silent_seconds if self._life else 0.0,
            resident_megabytes=beat.resident_megabytes if beat else 0.0,
            list_revision=beat.list_revision if beat else 0,
        )

    def _stage(self) -> WorkerStage:
        if self.ready:
            return WorkerStage.READY
        if self._stopping.is_set():
            return WorkerStage.STOPPED
        if self._budget.looping:
            return WorkerStage.CRASH_LOOP
        return WorkerStage.STARTING if self._lives <= 1 else WorkerStage.RESTARTING

    def offer(self, message: Message, fds: Sequence[int] = ()) -> bool:
        """Send if the child is ready and not swamped; never waits.

        Returns:
            whether it was sent.
        """
        return self.ready and self._life is not None and self._life.process.channel.offer(message, fds)

    async def send(self, message: Message) -> bool:
        """Send, waiting while too much is queued; False if the child is away."""
        if not self.ready or self._life is None:
            return False
        try:
            await self._life.process.channel.send(message)
        except ChannelClosedError:
            return False
        return True

    async def ask(self, request: Callable[[int], Message], reply: type[R], seconds: float) -> R:
        """Send the request made for a number and wait for its reply.

        Raises:
            WorkerAwayError: the child is away, dies meanwhile, is silent or answers something else.
            WireError: the request is too large.
        """
        return self._expect(await self._replies.ask(lambda number: self.offer(request(number)), seconds), reply)

    async def ask_picture(self, request: Callable[[int], Message], seconds: float) -> PictureReply:
        """The same on the channel of pictures."""
        answer = await self._replies.ask(lambda number: self._offer_picture(request(number)), seconds)
        return self._expect(answer, PictureReply)

    def _offer_picture(self, message: Message) -> bool:
        return self.ready and self._life is not None and self._life.process.pictures.offer(message)

    def _expect(self, answer: Message, kind: type[R]) -> R:
        if isinstance(answer, kind):
            return answer
        raise self._replies.away(f"answered with {type(answer).__name__}, not {kind.__name__}")

    async def run(self) -> None:
        """Keep the child alive until `stop`."""
        while not self._stopping.is_set():
            self._reason = await self._live()
            if not self._stopping.is_set():
                await self._pause()
        try:
            await self._owner.worker_over(self)
        except Exception:  # as in `_live`
            _LOG.exception("%s: its end could not be told", self.name)

    def stop(self) -> None:
        """Ask the child to end; `run` returns when it has."""
        self._stopping.set()

    def kill(self) -> None:
        """End the child at once; it is started anew unless `stop` was called."""
        if self._life is not None:
            self._life.process.kill()

    async def _live(self) -> str:
        """One life from start to end; returns why it ended."""
        self._lives += 1
        self._failed = None
        reason = "it was asked to end"
        self._turn = await self._births.turn() if self._births is not None else None
        try:
            if not self._stopping.is_set():
                await self._be_born_and_live()
        except* (OSError, GatewayError) as errors:
            reason = _first(errors)
        except* Exception as errors:  # a fault of ours must cost a child, never the alarm house
            _LOG.exception("%s: its supervision failed", self.name)
            reason = f"its supervision failed ({_first(errors)})"
        finally:
            self._be_born()
        return self._failed.what if self._failed is not None else reason

    def _be_born(self) -> None:
        if self._turn is not None:
            self._turn.over()

    async def _be_born_and_live(self) -> None:
        process = await self._start(self.role, self.name, self._clock)
        process.give_way(self._hello.vision.nice)
        self._life = life = WorkerLife(process, self._rules, self._clock, self._hear)
        try:
            await life.run(self._hello, self._stopping)
        finally:
            self._life, self._ready = None, None
            self._replies.fail_all()
            await process.close()

    async def _pause(self) -> None:
        """Tell the owner of the death and wait for the restart that the budget allows."""
        delay = self._budget.note_death(self._clock.monotonic())
        _LOG.warning("%s ended: %s; it is started anew in %.1f s", self.name, self._reason, delay)
        try:
            await self._owner.worker_gone(self, looping=self._budget.looping)
        except Exception:  # as in `_live`
            _LOG.exception("%s: its end could not be told", self.name)
        await wait_at_most(self._clock, delay, self._stopping)

    async def _hear(self, received: Received) -> None:
        """Take a message; of a child that is to end only what it found counts, not that it is there."""
        message = received.message
        if isinstance(message, Ready):
            await self._begin(message)
        elif isinstance(message, Heartbeat):
            await self._note(message)
        elif isinstance(message, Failed):
            self._failed = message
        elif (number := getattr(message, "request", None)) is not None:
            self._replies.answer(number, message)
        else:
            await self._owner.worker_said(self, received)

    async def _begin(self, ready: Ready) -> None:
        self._be_born()
        if self._stopping.is_set():
            return
        self._ready = ready
        _LOG.info("%s is ready: %s", self.name, ready.detail or self.role)
        await self._owner.worker_ready(self)

    async def _note(self, heartbeat: Heartbeat) -> None:
        if self._stopping.is_set():
            return
        self._beat = heartbeat
        if self.ready:
            self._budget.note_ready(self._clock.monotonic())
        await self._owner.worker_beat(self, heartbeat)


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
