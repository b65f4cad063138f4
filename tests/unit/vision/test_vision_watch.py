"""The watch over one ONVIF camera: what is told, and how often."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from harness.certificates import certificate
from harness.devices_bench import ASSIGNED, DESCRIBED, Outbox

from gateway.cameras import CameraDescription, CameraError, CameraState, MediaProfile
from gateway.clock import ManualClock
from gateway.vision.devices import DeviceWatch
from gateway.vision.devices.returning import is_the_same, may_follow
from gateway.wire import CameraDescribed, StreamAddress


@dataclass
class Camera:
    """Answers what it is told to, the last for ever."""

    answers: list[CameraDescription | CameraState | Exception]
    picture: bytes = b"\xff\xd8\xff..."
    closed: bool = False
    certificate: bytes = b""

    async def probe(self) -> CameraDescription:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, CameraState):
            raise CameraError(answer, "did not answer", where="127.0.0.1")
        return answer

    async def snapshot(self) -> bytes:
        return self.picture

    async def close(self) -> None:
        self.closed = True


async def watch(*answers: CameraDescription | CameraState | Exception, looks: int, certificate: bytes = b"") -> Outbox:
    """Let a camera be asked `looks` times."""
    camera, outbox, clock = Camera(list(answers), certificate=certificate), Outbox(), ManualClock()
    watched = DeviceWatch(ASSIGNED, camera, "east", outbox, clock)
    task = asyncio.create_task(watched.run())
    for _ in range(looks):
        for _ in range(10):
            await asyncio.sleep(0)
        clock.advance(1)
        watched.ask_again()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert camera.closed
    return outbox


async def test_a_camera_that_answers_is_described_and_its_address_passed_on() -> None:
    outbox = await watch(DESCRIBED, looks=1)
    assert outbox.sent[1] == StreamAddress(camera="cam-01", url="rtsp://127.0.0.1/1")
    assert outbox.faults() == []


async def test_a_state_that_stays_is_reported_once_and_its_end_once() -> None:
    unreachable = CameraState.UNREACHABLE
    outbox = await watch(unreachable, unreachable, unreachable, DESCRIBED, looks=6)
    assert outbox.faults() == ["unreachable", "ok"]
    states = [each.state for each in outbox.of(CameraDescribed) if isinstance(each, CameraDescribed)]
    assert states[:2] == ["unreachable", "ok"]


async def test_one_failed_try_of_what_passes_by_itself_is_no_event() -> None:
    assert (await watch(CameraState.UNREACHABLE, DESCRIBED, looks=3)).faults() == []


async def test_a_camera_that_is_away_for_days_is_found_when_it_is_back() -> None:
    unreachable = [CameraState.UNREACHABLE] * 1100
    outbox = await watch(*unreachable, DESCRIBED, looks=1101)
    assert outbox.faults() == ["unreachable", "ok"]


async def test_what_needs_a_hand_is_reported_at_once() -> None:
    assert (await watch(CameraState.CREDENTIALS_WRONG, looks=1)).faults() == ["credentials_wrong"]


async def test_a_wrong_clock_is_a_fault_of_a_camera_that_works() -> None:
    off = replace(DESCRIBED, clock_offset_seconds=90.0)
    outbox = await watch(off, looks=1)
    assert outbox.faults() == ["clock_off"]
    assert StreamAddress(camera="cam-01", url="rtsp://127.0.0.1/1") in outbox.sent


async def test_a_stream_that_was_set_up_anew_is_told_once() -> None:
    before = replace(DESCRIBED, profiles=(MediaProfile("p", "main", 1920, 1080, "H264", 25.0),))
    now = replace(DESCRIBED, profiles=(MediaProfile("p", "main", 1280, 720, "H264", 25.0),))
    outbox = await watch(before, before, now, now, now, looks=5)
    assert outbox.faults() == ["profile_changed"]


async def test_a_certificate_that_ends_is_described_and_told_once() -> None:
    ends = ManualClock().now() + timedelta(days=9, hours=1)
    outbox = await watch(DESCRIBED, looks=3, certificate=certificate(ends))
    assert outbox.faults() == ["certificate_ends"]
    described = outbox.of(CameraDescribed)[0]
    assert isinstance(described, CameraDescribed)
    assert described.description["certificate_days_left"] == 9


_HUGE = b"\xff\xd8\xff\xc0\x00\x11\x08\x75\x30\x75\x30\x03"


@pytest.mark.parametrize("picture", [b"\x89PNG", b"\xff\xd8\xff...", _HUGE, b"\xff\xd8" + b"x" * 9_000_000])
async def test_a_snapshot_that_cannot_be_passed_on_is_refused(picture: bytes) -> None:
    camera = Camera([DESCRIBED], picture=picture)
    watched = DeviceWatch(ASSIGNED, camera, "east", Outbox(), ManualClock())
    with pytest.raises(CameraError) as error:
        await watched.picture()
    assert error.value.state is CameraState.NO_SNAPSHOT


async def test_a_fault_of_ours_ends_no_watch_and_is_no_state_of_the_camera(caplog: pytest.LogCaptureFixture) -> None:
    outbox = await watch(OverflowError("date value out of range"), DESCRIBED, looks=3)
    assert outbox.faults() == []
    assert StreamAddress(camera="cam-01", url="rtsp://127.0.0.1/1") in outbox.sent
    assert "OverflowError" in caplog.text


async def test_events_are_listened_to_again_whatever_ended_it() -> None:
    class Deaf:
        times = 0

        async def run(self) -> None:
            self.times += 1
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "half a pair")

        def figures(self) -> dict[str, object]:
            return {}

    deaf, clock = Deaf(), ManualClock()
    watched = DeviceWatch(ASSIGNED, Camera([DESCRIBED]), "east", Outbox(), clock, {"listening to": deaf})
    task = asyncio.create_task(watched.run())
    for _ in range(5):
        for _ in range(10):
            await asyncio.sleep(0)
        clock.advance(2)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert deaf.times > 2


@pytest.mark.parametrize(
    ("username", "fingerprint", "always", "follows"),
    [("gate", "", False, False), ("gate", "ab", False, True), ("", "", False, True), ("gate", "", True, True)],
)
def test_a_password_follows_no_camera_that_proves_nothing(
    username: str, fingerprint: str, always: bool, follows: bool
) -> None:
    """Whoever announces the endpoint of a camera that is away could ask for it in the clear."""
    assigned = replace(ASSIGNED, username=username, tls_fingerprint=fingerprint)
    assert may_follow(assigned, always=always) is follows


def test_a_camera_that_tells_no_identity_is_nobody() -> None:
    nameless = replace(DESCRIBED, manufacturer="", model="", serial="", mac="")
    assert nameless.identity == ""
    assert not is_the_same(nameless, nameless)
    assert not is_the_same(None, DESCRIBED)
    assert is_the_same(DESCRIBED, DESCRIBED)
    assert not is_the_same(DESCRIBED, replace(DESCRIBED, serial="3"))


def test_where_a_camera_seems_to_be_is_told_once_by_host_and_three_times_a_day() -> None:
    clock = ManualClock()
    watched = DeviceWatch(ASSIGNED, Camera([DESCRIBED]), "east", Outbox(), clock)
    assert [watched.tells_of(f"onvif://10.0.0.{each}") for each in ("5", "5:81", "6", "5:82", "7", "8", "9")] == [
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    clock.advance(86_400)
    assert [watched.tells_of(f"onvif://10.0.0.{each}") for each in ("9", "9:81")] == [True, False]
