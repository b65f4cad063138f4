"""What must not grow and must not break: cameras that come and go while frozen, and answers that are mutated."""

import asyncio
import logging
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.memory import Growth
from lxml import etree

from gateway.cameras import Login, OnvifCamera, OnvifLibrary, Timeouts
from gateway.cameras.discovery.messages import read_announcements
from gateway.cameras.eventing.findings import FindingBook
from gateway.cameras.eventing.notices import read_notices
from gateway.cameras.eventing.subscription import granted_in, parameters_in
from gateway.cameras.media import _profile_of
from gateway.cameras.soap import FaultError, NotSoapError, descendants, read_reply
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.simulators.camera import SimulatedCamera, write_test_recording
from gateway.simulators.camera.mutation import mutated
from gateway.simulators.camera.onvif import notification, soap
from gateway.simulators.camera.onvif.happenings import Happenings
from gateway.simulators.camera.quirks import Quirks

_LOG = logging.getLogger(__name__)
FEW, MANY = 1500, 10_000

FEW_PROBES = 8
CPU_SECONDS_AT_MOST = 5.0
GROWTH_AT_MOST_MEGABYTES = 48.0


@contextmanager
def _elsewhere(secret: Path, quirk: str) -> Iterator[str]:
    """The address of a simulated camera in a process of its own, so that only our descriptors are counted."""
    command = [sys.executable, "-m", "gateway.simulators", "camera", "--quirk", quirk]
    command += ["--username", "gate", "--password-file", str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.kill()


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("camera ")]


async def _settled(so: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, (_threads(), _descriptors())
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("quirk", ["frozen", "few-slots=1"])
async def test_fifty_times_added_and_removed_leaves_nothing(tmp_path: Path, quirk: str) -> None:
    library = OnvifLibrary()
    (tmp_path / "secret").write_text("secret")
    with _elsewhere(tmp_path / "secret", quirk) as url:

        async def once() -> None:
            login = Login("gate", "secret")
            camera = OnvifCamera(url, login, library=library, timeouts=Timeouts(5.0, 60.0, 60.0))
            probing = asyncio.create_task(camera.probe())
            subscribing = asyncio.create_task(camera.events.subscribe())
            await asyncio.sleep(0.02)
            for task in (probing, subscribing):
                task.cancel()
            await asyncio.gather(probing, subscribing, return_exceptions=True)
            await camera.close()

        await once()
        await _settled(lambda: not _threads())
        before = _descriptors()
        for _ in range(50):
            await once()
        await _settled(lambda: not _threads() and _descriptors() <= before + 2)


def _answers() -> list[bytes]:
    """Whole and good answers of every kind, to begin with."""
    happenings, quirks = Happenings(SystemClock().now), Quirks.parse(["more-items"])
    messages = "".join(notification.message(each, quirks) for each in happenings.initial())
    times = "<tev:CurrentTime>2026-11-26T08:00:00Z</tev:CurrentTime>"
    reference = "<wsa:ReferenceParameters><a>1</a></wsa:ReferenceParameters>"
    profile = (
        '<tr2:Profiles token="p"><tr2:Name>n</tr2:Name><tr2:Configurations><tr2:VideoEncoder token="e">'
        "<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>320</tt:Width><tt:Height>180</tt:Height></tt:Resolution>"
        "</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>"
    )
    bodies = [
        f"<tev:PullMessagesResponse>{times}{messages}</tev:PullMessagesResponse>",
        f"<tev:CreatePullPointSubscriptionResponse>{reference}{times}</tev:CreatePullPointSubscriptionResponse>",
        f"<tr2:GetProfilesResponse>{profile}</tr2:GetProfilesResponse>",
    ]
    faults = [soap.SoapFault("Sender", ("NotAuthorized",), "no").encode(), soap.SoapFault("Receiver", (), "x").encode()]
    return [*(soap.envelope(body) for body in bodies), *faults]


def _read(answer: bytes) -> None:
    """Everything that is made of an answer."""
    read_announcements(answer)
    try:
        envelope = read_reply(answer)
    except (NotSoapError, FaultError):
        return
    book, clock = FindingBook(), SystemClock()
    notices = read_notices(envelope)
    book.take(notices, clock.now() - clock.now(), clock.now(), clock.monotonic())
    granted_in(envelope)
    etree.fromstring(f"<r>{parameters_in(envelope)}</r>")
    for each in descendants(envelope, "Profiles"):
        _profile_of(each)


def _fuzz(count: int, seed: int) -> None:
    chance, answers = random.Random(seed), _answers()
    for number in range(count):
        spoilt = mutated(chance.choice(answers), chance)
        began = time.thread_time()
        try:
            _read(spoilt)
        except Exception as error:
            raise AssertionError(f"seed {seed}, answer {number}: {spoilt!r}") from error
        assert time.thread_time() - began < 2, spoilt


def test_mutated_answers_are_read_or_refused() -> None:
    _fuzz(FEW, 1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_mutated_answers_are_read_or_refused() -> None:
    _fuzz(MANY, random.SystemRandom().randrange(2**31))


async def _probe_a_spoilt_camera(recording: Path, enough: Callable[[int, int], bool], seed: int) -> dict[str, int]:
    """How often each answer came: a description, or a named error; nothing else may come, and nothing may hang."""
    library, outcomes, growth = OnvifLibrary(), {"described": 0}, Growth()
    async with SimulatedCamera(recording, quirks=[f"mutated-soap={seed}"]) as simulated:
        mutator = simulated.inside.http.mutator
        assert mutator is not None
        while not enough(sum(outcomes.values()), mutator.count):
            camera = OnvifCamera(simulated.onvif_url, library=library, timeouts=Timeouts(1.0, 0.3, 3.0))
            try:
                began = time.process_time()
                async with asyncio.timeout(60):
                    await camera.probe()
                    await camera.events.subscribe()
                outcomes["described"] += 1
            except (GatewayError, FaultError) as error:
                name = getattr(error, "state", type(error).__name__)
                outcomes[name] = outcomes.get(name, 0) + 1
            finally:
                await camera.close()
            assert time.process_time() - began < CPU_SECONDS_AT_MOST, f"seed {seed}, answer {mutator.count}"
            if mutator.count > FEW_PROBES:
                growth.warm()
    grown = growth.megabytes()
    _LOG.info("memory grew by %.1f MB", grown)
    assert grown < GROWTH_AT_MOST_MEGABYTES
    return outcomes


async def test_a_camera_whose_answers_are_spoilt_is_described_or_refused_by_name(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "short.mp4", frames=12)

    outcomes = await _probe_a_spoilt_camera(recording, lambda probes, _spoilt: probes >= FEW_PROBES, seed=1)

    assert len(outcomes) > 1


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_ten_thousand_spoilt_answers_of_a_camera_end_in_named_states(tmp_path: Path) -> None:
    recording = write_test_recording(tmp_path / "short.mp4", frames=12)
    seed = random.SystemRandom().randrange(2**31)

    outcomes = await _probe_a_spoilt_camera(recording, lambda _probes, spoilt: spoilt >= MANY, seed)

    _LOG.info("seed %d: %s", seed, outcomes)
