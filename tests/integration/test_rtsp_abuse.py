"""Mutated RTSP answers: read or refused by name, in bounded time and memory."""

import asyncio
import logging
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error
import pytest
from harness.memory import Growth

from gateway.clock import SystemClock
from gateway.simulators.camera import SimulatedCamera, write_test_recording
from gateway.simulators.camera.mutation import mutated
from gateway.streams import StreamSource
from gateway.streams.loss import StreamFaultError
from gateway.streams.preflight import checked
from gateway.streams.session import Session, opened

_LOG = logging.getLogger(__name__)
FEW, MANY = 400, 10_000
FEW_SESSIONS, AT_ONCE = 12, 4
SECONDS_AT_MOST = 60.0
GROWTH_AT_MOST_MEGABYTES = 48.0
_ANSWERS = (
    b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="C", nonce="0f3c", qop="auth"\r\n\r\n',
    b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="Camera"\r\n\r\n',
    b"RTSP/1.0 302 Moved Temporarily\r\nCSeq: 1\r\nLocation: rtsp://192.0.2.10:554/elsewhere\r\n\r\n",
    b"RTSP/1.0 301 Moved\r\nCSeq: 1\r\nLocation: rtsp://[::1]:554/\r\n\r\n",
    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
    b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n",
)


@contextmanager
def _answering(seed: int) -> Iterator[int]:
    """A server whose every answer is mutated; it closes after the second, or when it is not asked at once."""
    chance = random.Random(seed)

    def serve() -> None:
        while True:
            try:
                peer = listening.accept()[0]
            except OSError:
                return
            with peer:
                peer.settimeout(0.01)
                try:
                    for _ in range(2):
                        if not peer.recv(4096):
                            break
                        peer.sendall(mutated(chance.choice(_ANSWERS), chance))
                    peer.shutdown(socket.SHUT_WR)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, name="answering")
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _ask_often(count: int, seed: int) -> Counter[str]:
    """How often each answer came; nothing but a named fault or a failure of the connection may come."""
    outcomes: Counter[str] = Counter()
    growth = Growth()
    with _answering(seed) as port:
        source = StreamSource(
            url=f"rtsp://127.0.0.1:{port}/main", username="gate", password="secret", open_timeout_seconds=0.2
        )
        for number in range(count):
            began = time.thread_time()
            try:
                checked(source)
                outcomes["passed on"] += 1
            except StreamFaultError as error:
                outcomes[error.reason] += 1
            except OSError as error:
                outcomes[type(error).__name__] += 1
            assert time.thread_time() - began < 2, f"seed {seed}, answer {number}"
            if number == count // 10:
                growth.warm()
    _check(growth)
    return outcomes


def _check(growth: Growth) -> None:
    grown = growth.megabytes()
    _LOG.info("memory grew by %.1f MB", grown)
    assert grown < GROWTH_AT_MOST_MEGABYTES


def test_the_question_before_ffmpegs_takes_mutated_answers() -> None:
    assert len(_ask_often(FEW, 1)) > 1


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_question_before_ffmpegs_takes_ten_thousand_mutated_answers() -> None:
    seed = random.SystemRandom().randrange(2**31)
    _LOG.info("seed %d: %s", seed, dict(_ask_often(MANY, seed)))


def _watch(source: StreamSource) -> str:
    """What came of one session: a picture, its end, or the name of the library's error or of ours."""
    began = time.monotonic()
    try:
        with opened(source) as container:
            session = Session(container, None, SystemClock().monotonic, lambda: None)
            outcome = next(("picture" for each in session.pictures() if each.picture is not None), "ended")
    except StreamFaultError as error:
        outcome = error.reason
    except (av.error.FFmpegError, OSError) as error:
        outcome = type(error).__name__
    assert time.monotonic() - began < SECONDS_AT_MOST, outcome
    return outcome


async def _watch_a_spoilt_camera(recording: Path, sessions: int, answers: int, seed: int) -> Counter[str]:
    """Sessions until there were so many of both; some at once."""
    outcomes: Counter[str] = Counter()
    growth = Growth()
    async with SimulatedCamera(
        recording, username="gate", password="secret", quirks=[f"mutated-rtsp={seed}"]
    ) as camera:
        mutator = camera.inside.rtsp.mutator
        assert mutator is not None
        source = StreamSource(
            url=camera.rtsp_url,
            username="gate",
            password="secret",
            open_timeout_seconds=0.5,
            read_timeout_seconds=0.8,
        )
        while outcomes.total() < sessions or mutator.count < answers:
            outcomes.update(await asyncio.gather(*(asyncio.to_thread(_watch, source) for _ in range(AT_ONCE))))
            if mutator.count >= answers / 5:
                growth.warm()
    _check(growth)
    return outcomes


async def test_a_camera_whose_rtsp_answers_are_spoilt_gives_pictures_or_a_named_loss(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "short.mp4", frames=12)

    outcomes = await _watch_a_spoilt_camera(recording, FEW_SESSIONS, answers=0, seed=3)

    assert len(outcomes) > 1


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_ten_thousand_spoilt_rtsp_answers_give_pictures_or_named_losses(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "short.mp4", frames=12)
    seed = random.SystemRandom().randrange(2**31)

    outcomes = await _watch_a_spoilt_camera(recording, FEW_SESSIONS, MANY, seed)

    _LOG.info("seed %d: %s", seed, dict(outcomes))
