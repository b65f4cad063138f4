"""What tests of the vision children share: the built scenes, the detector's file, clips, and the children at work."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import av
import pytest

from gateway.events import Event, FaceMatched
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.wire import CameraDescribed, ClipPiece, EvidencePicture, Message, PassageOver, SealedRow
from gateway.workers import Outfit, WorkerPorts, Workers, WorkerStage

_REPOSITORY = Path(__file__).parents[1]
_BUILT = Path(os.environ.get("GATEWAY_TEST_FIXTURES", _REPOSITORY / "fixtures" / "build"))
_MODELS = Path(os.environ.get("GATEWAY_TEST_MODELS", _REPOSITORY.parent / "shared" / "models"))


def built(name: str) -> Path:
    """A file of fixtures/build; the test skips if the recipe has not made it."""
    path = _BUILT / name
    if not path.is_file():
        pytest.skip(f"fixtures/build/{name} is not built: run `make fixtures`")
    return path


def yunet_file() -> Path:
    """The detector's file; the test skips without it."""
    path = _MODELS / "yunet_n_dynamic.onnx"
    if not path.is_file():
        pytest.skip("YuNet's model file is not in ../shared/models (or GATEWAY_TEST_MODELS)")
    return path


def passages(scene: str) -> list[dict[str, object]]:
    """The truth about a scene."""
    found: list[dict[str, object]] = json.loads(built(f"{scene}.json").read_text())["passages"]
    return found


def cut_clip(scene: Path, clip: Path, first: int, last: int) -> Path:
    """The frames from the key frame at or before `first` up to `last`, copied without encoding."""
    with av.open(str(scene)) as source, av.open(str(clip), "w") as target:
        stream = source.streams.video[0]
        out = target.add_stream_from_template(stream)
        rate = stream.average_rate
        assert rate is not None
        assert stream.time_base is not None
        ticks = [round(number / rate / stream.time_base) for number in (first, last)]
        source.seek(ticks[0], stream=stream)
        begun: int | None = None
        for packet in source.demux(stream):
            if packet.pts is None or packet.dts is None or packet.pts > ticks[1]:
                continue
            begun = packet.pts if begun is None else begun
            packet.pts, packet.dts, packet.stream = packet.pts - begun, packet.dts - begun, out
            target.mux(packet)
    return clip


async def until(met: Callable[[], object]) -> None:
    """Wait for a condition; the test's own time cap is the limit."""
    while not met():
        await asyncio.sleep(0.02)


@dataclass
class House:
    """The children, their findings, and the watch-list's rows as a store would have them."""

    events: list[Event] = field(default_factory=list)
    pictures: list[EvidencePicture] = field(default_factory=list)
    pieces: list[ClipPiece] = field(default_factory=list)
    passages: list[PassageOver] = field(default_factory=list)
    described: list[CameraDescribed] = field(default_factory=list)
    revision: int = 0
    people: dict[str, SealedRow] = field(default_factory=dict)

    async def report(self, events: Sequence[Event]) -> None:
        self.events += events

    async def keep(self, picture: EvidencePicture) -> None:
        self.pictures.append(picture)

    async def describe(self, described: CameraDescribed) -> None:
        self.described.append(described)

    async def gone(self, passage: PassageOver, _: datetime) -> None:
        self.passages.append(passage)

    async def ignore(self, _: Message) -> None:
        pass

    async def rows(self) -> tuple[int, tuple[SealedRow, ...]]:
        return self.revision, tuple(self.people.values())

    @property
    def matches(self) -> list[FaceMatched]:
        return [event for event in self.events if isinstance(event, FaceMatched)]

    @asynccontextmanager
    async def open(
        self,
        models: Path,
        detector: Path | None,
        *,
        cooldown: float = 0,
        evidence: EvidenceSettings | None = None,
        still_seconds: float = 10,
        embedder: Path | None = None,
    ) -> AsyncIterator[Workers]:
        """Run the children until the block ends."""
        outfit = Outfit(
            site="east",
            vision=VisionSettings(heartbeat_seconds=0.3, nice=5, still_seconds=still_seconds),
            matching=MatchingSettings(cooldown_seconds=cooldown, detector_model=detector, embedder=embedder),
            models_directory=models,
            people_key=b"p" * 32,
            evidence=evidence or EvidenceSettings(),
        )
        ports = WorkerPorts(
            on_report=self.report,
            on_evidence=self.keep,
            on_clip=self.pieces.append,
            on_passage=self.gone,
            on_statistics=self.ignore,
            on_described=self.describe,
            on_contact=self.ignore,
            on_heard=self.ignore,
        )
        workers = Workers(outfit, self.rows, ports)
        async with asyncio.TaskGroup() as group:
            group.create_task(workers.run())
            try:
                yield workers
            finally:
                workers.stop()

    async def enrol(self, workers: Workers, person: str, portrait: str) -> None:
        """Add a person by a portrait, as the API would."""
        await until(
            lambda: any(each.role == "gallery" and each.stage is WorkerStage.READY for each in workers.workers())
        )
        reply = await workers.embed(
            person=person, photo=f"{person}-1", wrapped_key=b"", image=built(f"portraits/{portrait}.jpg").read_bytes()
        )
        assert reply.refusal == "", reply.detail
        self.people[person] = SealedRow(
            person=person,
            category="banned",
            photo=f"{person}-1",
            wrapped_key=reply.wrapped_key,
            template=reply.template,
            fingerprint=reply.fingerprint,
        )
        self.change(workers)

    def change(self, workers: Workers) -> None:
        """The store has a new revision."""
        self.revision += 1
        workers.watch_list_changed()
