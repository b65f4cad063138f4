"""What must not grow and must not break: cameras that come and go while frozen, and answers that are mutated."""

import asyncio
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
from lxml import etree

from gateway.cameras import Login, OnvifCamera, OnvifLibrary, Timeouts
from gateway.cameras.discovery.messages import read_announcements
from gateway.cameras.eventing.findings import FindingBook
from gateway.cameras.eventing.notices import read_notices
from gateway.cameras.eventing.subscription import granted_in, parameters_in
from gateway.cameras.media import _profile_of
from gateway.cameras.soap import FaultError, NotSoapError, descendants, read_reply
from gateway.clock import SystemClock
from gateway.simulators.camera.onvif import notification, soap
from gateway.simulators.camera.onvif.happenings import Happenings
from gateway.simulators.camera.quirks import Quirks

FEW, MANY = 1500, 10_000
LARGEST = 64 * 1024


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


def _mutated(answer: bytes, chance: random.Random) -> bytes:
    body = bytearray(answer)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(body))
        match chance.randrange(6):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at : at + chance.randint(1, 40)]
            case 2:
                body[at:at] = chance.choice(
                    [b"<", b">", b"&", b"\x00", b'"', b"<!--", b"]]>", b"<![CDATA[", b"&#x0;", b"\xff"]
                )
            case 3:
                body[at:at] = body[at : at + chance.randint(1, 200)]
            case 4:
                body[at:at] = b"<x>" * chance.randint(1, 50)
            case _:
                body[at:at] = str(chance.randint(-(10**30), 10**30)).encode()
        if not body:
            break
    return bytes(body[:LARGEST])


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
        mutated = _mutated(chance.choice(answers), chance)
        began = time.thread_time()
        try:
            _read(mutated)
        except Exception as error:
            raise AssertionError(f"seed {seed}, answer {number}: {mutated!r}") from error
        assert time.thread_time() - began < 2, mutated


def test_mutated_answers_are_read_or_refused() -> None:
    _fuzz(FEW, 1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_mutated_answers_are_read_or_refused() -> None:
    _fuzz(MANY, random.SystemRandom().randrange(2**31))
