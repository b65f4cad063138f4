"""The frame of a child program: how it hardens itself, greets, ends; and the one-shot probe."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.settings import MatchingSettings, VisionSettings
from gateway.simulators.camera import SimulatedCamera, write_test_recording
from gateway.wire import (
    CameraAssigned,
    CameraDescribed,
    ChannelClosedError,
    Heartbeat,
    Hello,
    Message,
    PictureReply,
    PictureRequest,
    Ready,
    Stop,
    StreamAddress,
    StreamLost,
)
from gateway.workers import WorkerProcess

HELLO = Hello(
    role="devices",
    worker="devices",
    site="east",
    vision=VisionSettings(heartbeat_seconds=0.1, nice=7),
    matching=MatchingSettings(),
    models_directory="/nonexistent",
)


@asynccontextmanager
async def devices_child() -> AsyncIterator[WorkerProcess]:
    process = await WorkerProcess.start("devices", "devices", SystemClock())
    try:
        yield process
    finally:
        await process.close()


async def receive(process: WorkerProcess, kind: type[Message]) -> Message:
    """The next message of a kind; others, heartbeats above all, are passed over."""
    while True:
        message = (await process.channel.receive()).message
        if isinstance(message, kind):
            return message


def facts(pid: int) -> dict[str, str]:
    folder = Path(f"/proc/{pid}")
    limits = (folder / "limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size")).split()[4:6]
    return {"oom": (folder / "oom_score_adj").read_text().strip(), "core": " ".join(core)}


async def test_a_child_is_hardened_gives_way_and_beats() -> None:
    async with devices_child() as process:
        await process.channel.send(HELLO)
        ready = await receive(process, Ready)
        beats = [await receive(process, Heartbeat) for _ in range(3)]
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(7, ours), "what is lower already stays"
        assert facts(process.pid) == {"oom": "500", "core": "0 0"}
        assert os.getsid(process.pid) != os.getsid(0)
    assert isinstance(ready, Ready)
    assert ready.worker == "devices"
    assert all(isinstance(beat, Heartbeat) and beat.resident_megabytes > 10 for beat in beats)


async def test_a_child_ends_in_order_when_asked_by_message_or_signal() -> None:
    async with devices_child() as process:
        await process.channel.send(HELLO)
        await receive(process, Ready)
        await process.channel.send(Stop())
        assert await process.wait() == 0
    async with devices_child() as process:
        await process.channel.send(HELLO)
        await receive(process, Ready)
        os.kill(process.pid, signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_child_ends_with_its_parent_s_end_of_the_channel() -> None:
    async with devices_child() as process:
        await process.channel.send(HELLO)
        await receive(process, Ready)
        process.channel.close()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((Ready(worker="x"),), id="no hello"),
        pytest.param((HELLO, Ready(worker="x")), id="not for this role"),
    ],
)
async def test_a_message_out_of_place_ends_the_child_with_one_line(
    messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async with devices_child() as process:
        for message in messages:
            await process.channel.send(message)
        with pytest.raises(ChannelClosedError):
            await receive(process, Stop)
        assert await process.wait() == 1
    assert "Traceback" not in caplog.text
    assert "Ready" in caplog.text


async def test_a_camera_is_described_again_when_its_stream_is_lost(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "main.mp4", frames=12)
    async with SimulatedCamera(recording) as camera, devices_child() as process:
        await process.channel.send(HELLO)
        await process.channel.send(
            CameraAssigned(
                camera="cam-01",
                name="东门",
                place="gate",
                url=camera.onvif_url,
                watch_faces=False,
                loop=False,
                looks_per_second=5,
            )
        )
        described = await receive(process, CameraDescribed)
        address = await receive(process, StreamAddress)
        await process.channel.send(StreamLost(camera="cam-01", reason="stalled"))
        again = await receive(process, StreamAddress)
        await process.pictures.send(PictureRequest(request=1, camera="cam-01"))
        picture = (await process.pictures.receive()).message
        await process.pictures.send(PictureRequest(request=2, camera="cam-99"))
        none = (await process.pictures.receive()).message
    assert isinstance(described, CameraDescribed)
    assert described.state == "ok"
    assert address == again == StreamAddress(camera="cam-01", url=camera.rtsp_url)
    assert isinstance(picture, PictureReply)
    assert picture.jpeg.startswith(b"\xff\xd8\xff")
    assert isinstance(none, PictureReply)
    assert none.refusal


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.vision", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.parametrize("arguments", [(), ("painter",), ("video",), ("video", "--channel", "x", "--pictures", "4")])
def test_wrong_usage_is_said_without_a_traceback(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_probe_prints_what_the_camera_said(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "main.mp4", frames=12)
    async with SimulatedCamera(recording, username="gate", password="p@ss") as camera:
        done = await asyncio.to_thread(run, "probe", camera.onvif_url, stdin="gate\np@ss\n")
        wrong = await asyncio.to_thread(run, "probe", camera.onvif_url, stdin="gate\nwrong\n")
    said = json.loads(done.stdout)
    assert (done.returncode, said["state"], said["description"]["model"]) == (0, "ok", "Simulated Camera")
    assert (wrong.returncode, json.loads(wrong.stdout)["state"]) == (1, "credentials_wrong")
    assert "p@ss" not in done.stdout + done.stderr


@pytest.mark.parametrize(("url", "state"), [("onvif://127.0.0.1:1", "refused"), ("http://x", "not_onvif")])
def test_a_probe_of_no_camera_names_the_state_and_the_remedy(url: str, state: str) -> None:
    done = run("probe", url)
    said = json.loads(done.stdout)
    assert (done.returncode, said["state"]) == (1, state)
    assert said["what"]
    assert "Traceback" not in done.stderr
