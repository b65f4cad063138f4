"""What a camera and a child hold in memory: proportional set sizes of the daemon as it ships."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness.camera import served
from harness.daemon import Daemon
from harness.memory import pss_megabytes
from vision_capacity import cameras, enrol, wait_until_live


def measure(counts: tuple[int, ...], recording: Path, settle: float, model: Path) -> list[dict[str, Any]]:
    """A row per number of cameras, and by least squares over them what a child takes and what each camera more."""
    rows = [_at(count, recording, settle, model) for count in counts]
    sizes = np.array([[row["video_children"], row["cameras"]] for row in rows], float)
    per_child, per_camera = np.linalg.lstsq(sizes, np.array([row["video_children_mb"] for row in rows]), rcond=None)[0]
    return [*rows, {"mb_per_child": round(float(per_child), 1), "mb_per_camera": round(float(per_camera), 1)}]


def _at(count: int, recording: Path, settle: float, model: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, served(recording) as camera:
        matching = f'[matching]\ndetector_model = "{model}"\n'
        with Daemon(Path(folder), extra=matching + cameras(count, [camera.url])) as daemon:
            daemon.set_up_administrator()
            with daemon.client() as http:
                enrol(http, "obama")
            wait_until_live(daemon, count)
            time.sleep(settle)
            assert daemon.process is not None
            gateway = pss_megabytes(daemon.process.pid)
            children = [(command, pss_megabytes(pid)) for pid, command in daemon.children().items()]
    video = [size for command, size in children if "gateway.vision video" in command]
    return {
        "cameras": count,
        "settled_seconds": settle,
        "video_children": len(video),
        "video_children_mb": round(sum(video), 1),
        "gallery_child_mb": round(sum(size for command, size in children if "gateway.vision gallery" in command), 1),
        "gateway_mb": round(gateway, 1),
    }
