"""Small recordings for tests of streams: numbered pictures, with or without B-frames, with several slices."""

from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

FPS = 25


def write_recording(
    path: Path,
    *,
    frames: int = 50,
    group: int = 10,
    b_frames: int = 0,
    slices: int = 1,
    codec: str = "h264",
    open_groups: bool = False,
) -> Path:
    """Write H.264 or H.265 (``hevc``) of 192x108 whose picture n is a bar that has moved n steps to the right.

    With `open_groups` and B-frames, pictures that follow a keyframe are shown before it and refer to what was before.
    """
    shape = f"b-adapt=0:bframes={b_frames}:keyint={group}:min-keyint={group}:scenecut=0:open-gop={int(open_groups)}"
    if codec == "hevc":
        encoder, options = "libx265", {"x265-params": f"{shape}:log-level=none:pools=1:frame-threads=1"}
    else:
        encoder, options = "libx264", {"bf": str(b_frames), "slices": str(slices), "sc_threshold": "0"}
        options["x264-params"] = f"{shape}:slices={slices}"
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(encoder, rate=FPS, options={"preset": "ultrafast"} | options))
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(frames):
            picture = np.full((108, 192, 3), 60, np.uint8)
            picture[20:90, number % 180 : number % 180 + 12] = (230, 200, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
