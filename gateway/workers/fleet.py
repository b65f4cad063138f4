"""Holds the children: one for devices, one for the gallery, and as many for video as the cameras need."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from gateway.workers.book import CameraBook
from gateway.workers.outfit import DEVICES, GALLERY, VIDEO
from gateway.workers.states import WorkerState
from gateway.workers.supervisor import WorkerSupervisor

MakeWorker = Callable[[str, str], WorkerSupervisor]


class Fleet:
    """The supervised children; each runs as a task of the group given to `start`.

    Args:
        make: makes the supervisor of a role under a name.
        book: says which camera is where.
        cameras_per_worker: how many cameras share a video child at most.
        cores: so many video children are begun before any gets a second camera.
    """

    def __init__(self, make: MakeWorker, book: CameraBook, cameras_per_worker: int, cores: int) -> None:
        self._make = make
        self._book = book
        self._room = cameras_per_worker
        self._cores = cores
        self._workers: dict[str, WorkerSupervisor] = {}
        self._leaving: set[str] = set()
        self._group: asyncio.TaskGroup | None = None
        self._stopped = False

    def start(self, group: asyncio.TaskGroup) -> None:
        """Run the children there are, and from now on each new one, in `group`."""
        self._group = group
        for worker in self._workers.values():
            self._run(worker, group)
        self.ensure(GALLERY, GALLERY)

    def ensure(self, role: str, name: str) -> WorkerSupervisor:
        """The child of this name; it is started if there is none."""
        worker = self._workers.get(name)
        if worker is None:
            worker = self._workers[name] = self._make(role, name)
            if self._stopped:  # it ends before it begins: nobody would ask it later
                worker.stop()
            if self._group is not None:
                self._run(worker, self._group)
        return worker

    def _run(self, worker: WorkerSupervisor, group: asyncio.TaskGroup) -> None:
        task = group.create_task(worker.run(), name=worker.name)
        task.add_done_callback(lambda _: self._leaving.discard(worker.name))

    def named(self, name: str) -> WorkerSupervisor | None:
        """The child of this name, if there is one."""
        return self._workers.get(name)

    def place(self) -> WorkerSupervisor:
        """The video child for one more camera: a new one while cores are free, else the one with the least to do."""
        children = [worker for worker in self if worker.role == VIDEO]
        fit = [each for each in children if not each.looping and len(self._book.of_worker(each.name)) < self._room]
        if len(children) < self._cores or not fit:
            return self.open_video()
        return min(fit, key=lambda each: (self._book.load_of(each.name), each.name))

    def open_video(self) -> WorkerSupervisor:
        """A new video child under the first free name; that of a child whose process may still live is not free."""
        number = 1
        while f"{VIDEO}-{number}" in self._workers or f"{VIDEO}-{number}" in self._leaving:
            number += 1
        return self.ensure(VIDEO, f"{VIDEO}-{number}")

    def release(self, worker: WorkerSupervisor) -> bool:
        """End a video child if it has no camera any more; whether it does."""
        if self._workers.get(worker.name) is not worker or self._book.of_worker(worker.name):
            return False
        del self._workers[worker.name]
        worker.stop()
        if self._group is not None:
            self._leaving.add(worker.name)
        return True

    def stop(self) -> None:
        """Ask all children to end, also those that come later; their tasks end when they have."""
        self._stopped = True
        for worker in self._workers.values():
            worker.stop()

    def __iter__(self) -> Iterator[WorkerSupervisor]:
        return iter(tuple(self._workers.values()))

    def states(self) -> tuple[WorkerState, ...]:
        """All children as they are now, with their cameras."""
        return tuple(replace(worker.state(), cameras=self._cameras_of(worker)) for worker in self)

    def _cameras_of(self, worker: WorkerSupervisor) -> tuple[str, ...]:
        cameras = self._book.by_onvif() if worker.role == DEVICES else self._book.of_worker(worker.name)
        return tuple(each.camera for each in cameras)
