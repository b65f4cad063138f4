"""What cameras do to a looker: another size in mid-stream, cuts at every look, crowds, pictures of nothing."""

import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scene_player import gallery_of
from vision_bench import built, yunet_file

from gateway.clock import SystemClock
from gateway.matching import Gallery
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame, PacketRing, StreamLost, StreamSource, VideoStream
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.video.looker import Looker

Picture = NDArray[np.uint8]
RNG = np.random.default_rng(8)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> FaceTools:
    settings = MatchingSettings(detector_model=yunet_file())
    return open_tools(settings, tmp_path_factory.mktemp("graphs"), longest_side=640)


@pytest.fixture(scope="module")
def gallery(tools: FaceTools) -> Gallery:
    return gallery_of(tools, "obama")


def looker(tools: FaceTools) -> Looker:
    return Looker("cam-01", tools, VisionSettings(), MatchingSettings(cooldown_seconds=0))


def crowd(size: tuple[int, int], rows: int, columns: int, side: int) -> Picture:
    """A wall of one unlisted person's portrait, `side` px wide each."""
    bgr = cv2.imread(str(built("portraits/biden.jpg")))
    assert bgr is not None
    head = cv2.resize(bgr[:, :, ::-1], (side, round(side * bgr.shape[0] / bgr.shape[1])), interpolation=cv2.INTER_AREA)
    wall = np.tile(head, (rows, columns, 1))[: size[1], : size[0]]
    picture = RNG.integers(100, 120, (size[1], size[0], 3)).astype(np.uint8)
    picture[: wall.shape[0], : wall.shape[1]] = wall
    return picture


def encoded(size: tuple[int, int], frames: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), 60 + 3 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def test_a_stream_that_changes_its_size_goes_on_and_its_clip_decodes(tmp_path: Path) -> None:
    sizes = [(192, 108), (320, 240), (160, 90)]
    path = tmp_path / "changing.h264"
    path.write_bytes(b"".join(encoded(size, 13) for size in sizes))
    ring = PacketRing(seconds=20)
    seen: list[tuple[int, int]] = []
    with VideoStream(StreamSource(url=path.as_uri(), loop=False), clock=SystemClock(), ring=ring) as stream:
        while isinstance(found := stream.next(5), Frame):
            seen.append((found.width, found.height))
            assert found.luma(96).shape[1] == 96
        assert isinstance(found, StreamLost)
        clip = ring.clip(20, 0)
    assert list(dict.fromkeys(seen)) == sizes
    with av.open(io.BytesIO(clip.mp4), "r") as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == set(sizes)


def test_a_looker_takes_another_size_at_each_look(tools: FaceTools, gallery: Gallery) -> None:
    one = looker(tools)
    sizes = [(1280, 720), (320, 180), (1920, 1080), (176, 144), (640, 360), (64, 64)]
    for number in range(12):
        picture = crowd(sizes[number % len(sizes)], 2, 3, 60)
        assert one.look(Frame.from_rgb(picture, seconds=number * 0.2, number=number + 1), gallery) == ()
    assert one.finish(gallery) == ()


def test_a_cut_at_every_look_leaves_nothing_behind(tools: FaceTools, gallery: Gallery) -> None:
    one = looker(tools)
    for number in range(20):
        picture = crowd((640, 360), 2, 3, 90) if number % 2 else RNG.integers(0, 255, (360, 640, 3), dtype=np.uint8)
        one.look(Frame.from_rgb(picture, seconds=number * 0.2, number=number + 1), gallery)
    one.finish(gallery)
    passers = vars(one)["_passers"]
    assert (vars(passers)["_seen"], vars(passers)["_passages"]) == ({}, {})


def test_two_hundred_faces_cost_a_bounded_number_of_comparisons_a_look(
    tools: FaceTools, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, embed = looker(tools), tools.embedder.embed
    embedded: list[int] = []

    def counted(chips: Picture) -> NDArray[np.float32]:
        embedded[-1] += len(chips)
        return embed(chips)

    monkeypatch.setattr(tools.embedder, "embed", counted)
    most = 0
    for number in range(4):
        embedded.append(0)
        picture = crowd((1920, 1080), 10, 20, 96) if number else crowd((1920, 1080), 0, 1, 96)
        one.look(Frame.from_rgb(picture, seconds=number * 0.2, number=number + 1), gallery)
        most = max(most, len(vars(one)["_passers"].boxes))
    assert most > 80
    assert 0 < max(embedded) <= 16
