"""Makes JPEG pictures of the scene: one keyframe decoded per group of pictures, on demand."""

import asyncio
import io
from typing import cast

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gateway.simulators.camera.playback import Scene
from gateway.simulators.camera.recording import Recording

_START_CODE = b"\x00\x00\x00\x01"


class SnapshotMaker:
    """Keeps the newest picture until the scene has passed the next keyframe."""

    def __init__(self, recording: Recording, scene: Scene) -> None:
        self._recording = recording
        self._scene = scene
        self._made_of = -1
        self._jpeg = b""
        self._making = asyncio.Lock()

    async def jpeg(self) -> bytes:
        """The scene's last keyframe as JPEG, full size."""
        recording = self._recording
        now = recording.number_at(self._scene.elapsed()) % len(recording.units)
        keyframe = recording.keyframe_before(now)
        async with self._making:
            if keyframe != self._made_of:
                self._jpeg = await asyncio.to_thread(_picture, recording, keyframe)
                self._made_of = keyframe
            return self._jpeg


def _picture(recording: Recording, keyframe: int) -> bytes:
    sample = b"".join(_START_CODE + unit for unit in recording.unit(keyframe).nals)
    decoder = cast("VideoCodecContext", av.CodecContext.create(recording.syntax.codec, "r"))
    frames = [*decoder.decode(Packet(sample)), *decoder.decode(None)]
    return _as_jpeg(frames[0])


def _as_jpeg(frame: VideoFrame) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuvj420p"
        frame.pts = None
        container.mux([*stream.encode(frame.reformat(format="yuvj420p")), *stream.encode(None)])
    return target.getvalue()
