"""Kills a video child in the middle of a clip, again and again: does each clip play to its last packet?"""

import io
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
from harness.daemon import Daemon
from harness.press import Presser

_CONFIGURATION = """
[evidence]
clip_before_seconds = 2
clip_after_seconds = 60
[[cameras]]
id = "cam-01"
url = "file://{scene}"
loop = true
[[devices]]
id = "btn-01"
place = "gate"
linked_cameras = ["cam-01"]
"""
_PATIENCE_SECONDS = 300.0
_GROWN_SECONDS = 4.0


def measure(kills: int, scene: Path) -> dict[str, Any]:
    """What `kills` times SIGKILL left of as many clips of presses.

    Returns:
        how many clips there are, and how many of them play: each packet a picture, as long as was noted. The gateway
        notes a clip's length up to its last whole piece; what comes about each second after it is lost with the child.
    """
    with tempfile.TemporaryDirectory() as folder, Daemon(Path(folder), extra=_CONFIGURATION.format(scene=scene)) as own:
        own.set_up_administrator()
        with own.client() as client:
            for number in range(kills):
                _kill_in_mid_clip(own, client, number)
            found = [_played(client, each) for each in _clips(client)]
    return {
        "kills in mid-clip": kills,
        "clips": len(found),
        "clips that play to their last packet": sum(each["whole"] for each in found),
        "packets": sum(each["packets"] for each in found),
        "pictures decoded": sum(each["pictures"] for each in found),
        "seconds of a clip, least and most": [f(each["seconds"] for each in found) for f in (min, max)],
    }


def _kill_in_mid_clip(own: Daemon, client: httpx.Client, number: int) -> None:
    _until(lambda: client.get("/cameras/cam-01").json()["status"]["state"] == "live")
    with Presser(own.mqtt_port) as button:
        button.press_and_wait(f"kill-{number}")
    _until(lambda: any(_grows(each) and each["clip"]["seconds"] > _GROWN_SECONDS for each in _clips(client)))
    for pid in [pid for pid, command in own.children().items() if "video" in command]:
        os.kill(pid, signal.SIGKILL)
    _until(lambda: sum(not _grows(each) for each in _clips(client)) == number + 1)


def _grows(clip: dict[str, Any]) -> bool:
    return bool(clip["clip"]["state"] == "recording")


def _clips(client: httpx.Client) -> list[dict[str, Any]]:
    return [
        each
        for incident in client.get("/incidents").json()["items"]
        for each in client.get(f"/incidents/{incident['id']}").json()["evidence"]
        if "clip" in each
    ]


def _played(client: httpx.Client, clip: dict[str, Any]) -> dict[str, Any]:
    mp4 = client.get(f"/evidence/{clip['id']}").content
    with av.open(io.BytesIO(mp4), "r") as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    with av.open(io.BytesIO(mp4), "r") as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    seconds = round(times[-1] - times[0], 2) if times else 0.0
    whole = packets == len(times) > 0 and abs(seconds - clip["clip"]["seconds"]) < 0.1  # a picture or two
    return {"packets": packets, "pictures": len(times), "seconds": seconds, "whole": whole}


def _until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not met():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for never came")
        time.sleep(0.1)
