"""A stream that rests while its scene is still: what is decoded, what wakes it, and that no passage is missed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from gateway.clock import SystemClock
from gateway.streams import Frame, PacketRing, Sparing, StreamLost, StreamSource, VideoStream
from gateway.streams.saver import Saver
from gateway.streams.session import Session
from gateway.streams.sparing import RestSwitch, SizeWatch

FPS = 25
WALK = range(300, 340)
FRAMES = 500


def write_yard(
    path: Path,
    group: int,
    *,
    walk: range = WALK,
    step: int = 4,
    b_frames: int = 0,
    slices: int = 1,
    noise_levels: float = 2,
) -> Path:
    """A still place with sensor noise through which a bright, textured block walks during `walk`."""
    noise, place = np.random.default_rng(3), np.random.default_rng(4).integers(40, 160, (108, 192, 1))
    block = np.random.default_rng(5).integers(0, 255, (40, 16, 1))
    options = {
        "preset": "ultrafast",
        "crf": "24",
        "x264-params": f"bframes={b_frames}:b-adapt=0:keyint={group}:min-keyint={group}:scenecut=0:slices={slices}",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(FRAMES):
            picture = np.broadcast_to(place, (108, 192, 3)).astype(np.float64)
            if number in walk:
                left = (number - walk.start) * step % 170
                picture[40:80, left : left + 16] = block
            picture = picture + noise.normal(0, noise_levels, (108, 192, 1))
            made = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    return path


@dataclass
class Watched:
    """What a looker saw who lets the stream rest from the start, and says what moved by comparing pictures."""

    shown: list[float] = field(default_factory=list)
    backlog: list[float] = field(default_factory=list)
    rested: int = 0
    wakes: int = 0


def watch(path: Path, *, ring: PacketRing | None = None, slices: int = 1, lively: range = WALK) -> Watched:
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
        still = np.asarray(first.reformat(48, 27, "gray").to_ndarray(), np.int64)
    switch, seen, clock = RestSwitch(), Watched(), _Ticks(FPS * slices)

    def moved(frame: Frame) -> bool:
        return bool((np.abs(frame.luma(48).astype(int) - still) > 25).sum() > 3)

    with av.open(str(path)) as container:
        session = Session(container, ring, clock, lambda: None, partial(Saver, Sparing(moved), switch))
        for decoded in session.pictures():
            seen.rested += decoded.resting
            if decoded.picture is None or decoded.picture.time is None:
                continue
            (seen.backlog if decoded.backlog else seen.shown).append(decoded.picture.time)
            switch.ask(rest=not lively.start <= decoded.picture.time * FPS < lively.stop + 50)
    seen.wakes = switch.wakes
    return seen


class _Ticks:
    """A clock that goes on by one packet each time it is asked."""

    def __init__(self, packets_per_second: int) -> None:
        self._each = 1 / packets_per_second
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self._each
        return self._now


@pytest.mark.parametrize(
    ("group", "b_frames", "slices", "noise"), [(50, 0, 1, 2), (250, 0, 1, 0), (50, 2, 1, 2), (50, 0, 3, 2)]
)
def test_a_passage_between_keyframes_is_seen_from_its_begin_on(
    tmp_path: Path, group: int, b_frames: int, slices: int, noise: int
) -> None:
    yard = write_yard(tmp_path / "yard.mp4", group, b_frames=b_frames, slices=slices, noise_levels=noise)
    seen = watch(yard, slices=slices)
    begin, end = WALK.start / FPS, WALK.stop / FPS
    assert seen.rested > 50
    assert seen.wakes >= 1
    everything = sorted(seen.shown + seen.backlog)
    during = [at for at in everything if begin - 0.1 <= at <= end]
    assert during[0] <= begin + 0.25
    assert max(later - earlier for earlier, later in pairwise(during)) <= 0.3


def test_what_is_made_up_for_comes_in_the_order_of_its_time(tmp_path: Path) -> None:
    path = write_yard(tmp_path / "yard.mp4", 250, noise_levels=0)
    source = StreamSource(url=path.as_uri(), loop=False)
    order: list[tuple[float, bool]] = []
    with av.open(str(path)) as container:
        still = next(container.decode(video=0)).reformat(48, 27, "gray").to_ndarray().astype(int)

    def moved(frame: Frame) -> bool:
        return bool((np.abs(frame.luma(48).astype(int) - still) > 25).sum() > 3)

    with VideoStream(source, clock=SystemClock(), sparing=Sparing(moved)) as stream:
        for found in _until_the_end(stream):
            order.append((found.seconds, found.backlog))
            stream.spare(still=not moved(found))
            if found.seconds > (WALK.stop + 10) / FPS:
                break
    assert all(earlier[0] < later[0] for earlier, later in pairwise(order))
    assert stream.counters.rested > 0
    assert stream.wakes >= 1


def _until_the_end(stream: VideoStream) -> Iterator[Frame]:
    while not isinstance(found := stream.next(5), StreamLost):
        assert found is not None
        yield found


def test_a_keyframe_that_differs_brings_back_the_whole_group_before_it(tmp_path: Path) -> None:
    # One slow step and standing: too little for the sizes, so the keyframe must tell.
    path = write_yard(tmp_path / "yard.mp4", 50, walk=range(310, 500), step=0)
    seen = watch(path)
    assert min((at for at in seen.shown + seen.backlog if at >= 12.3), default=99) <= 12.6


@pytest.mark.parametrize(("noise", "rested"), [(0, 300), (2, 120)])
def test_a_still_scene_stays_at_rest_and_the_ring_has_every_packet(tmp_path: Path, noise: int, rested: int) -> None:
    ring = PacketRing(seconds=60)
    seen = watch(
        write_yard(tmp_path / "yard.mp4", 50, walk=range(0), noise_levels=noise), ring=ring, lively=range(-99, -99)
    )
    assert seen.wakes == 0
    assert seen.rested >= rested
    assert ring.clip(60).pictures == FRAMES


def test_sizes_alarm_for_a_small_lasting_rise_and_not_for_noise_or_one_burst() -> None:
    noise = np.random.default_rng(1)

    def size(factor: float = 1.0) -> int:
        return int(5000 * factor * np.exp(noise.normal(0, 0.1)))

    watch = SizeWatch()
    for number in range(300):
        watch.note(size(), keyframe=number % 50 == 0)
    assert watch.learned
    watch.begin()
    quiet = [watch.alarms(size(4.0 if number == 100 else 1.0), keyframe=number % 50 == 0) for number in range(2000)]
    assert sum(quiet) == 0
    watch.take_suspicion()
    rise = [watch.alarms(size(1.15), keyframe=False) for _ in range(60)]
    assert any(rise)
    assert watch.take_suspicion()
    assert 60 <= watch.run <= 90
