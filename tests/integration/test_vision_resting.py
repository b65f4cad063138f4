"""What is decoded of a still scene is little, and yet every passage is recognised as with full decoding."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from scene_player import gallery_of, play
from vision_bench import built, yunet_file

from gateway.settings import MatchingSettings, VisionSettings
from gateway.vision.faces import FaceTools, open_tools

QUIET_SECONDS = 12
LISTED_FRAMES = (285, 420)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> FaceTools:
    return open_tools(
        MatchingSettings(detector_model=yunet_file()), tmp_path_factory.mktemp("graphs"), longest_side=640
    )


def with_quiet_around(target: Path, group: int) -> Path:
    """The listed person's passage with an empty scene before and after it, a keyframe each `group` pictures."""
    with av.open(str(built("empty-640x360.mp4"))) as container:
        empty = [picture.to_ndarray(format="yuv420p") for picture in container.decode(video=0)]
    with av.open(str(built("gate-640x360.mp4"))) as container:
        first, last = LISTED_FRAMES
        gate = [
            picture.to_ndarray(format="yuv420p")
            for number, picture in enumerate(container.decode(video=0))
            if first <= number <= last
        ]
    quiet = [empty[number % len(empty)] for number in range(QUIET_SECONDS * 25)]
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "veryfast",
            "crf": "23",
            "bf": "0",
            "x264-params": f"keyint={group}:min-keyint={group}:scenecut=0:rc-lookahead=0",
        }
        for number, pixels in enumerate([*quiet, *gate, *quiet]):
            picture = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return target


@pytest.mark.parametrize("group", [50, 250])
def test_a_passage_is_recognised_at_long_keyframe_intervals_as_with_full_decoding(
    tmp_path: Path, tools: FaceTools, group: int
) -> None:
    scene = with_quiet_around(tmp_path / "scene.mp4", group)
    gallery, vision = gallery_of(tools, "obama"), VisionSettings(still_seconds=2)
    full = play(scene, tools, gallery, vision=vision, rest=False)
    spared = play(scene, tools, gallery, vision=vision)
    assert [match.decision.person for _, match in full.found] == ["obama"]
    assert [match.decision.person for _, match in spared.found] == ["obama"]
    assert full.rested == 0
    assert spared.rested > 100
    assert spared.wakes >= 1
    assert spared.passages >= 1
