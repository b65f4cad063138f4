"""The receiver of alarm panels over real sockets: replies, encryption, retransmission, clocks, bad peers."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from gateway.alarms import AlarmListener, SiaReceiver, SupervisionTimer
from gateway.clock import SystemClock
from gateway.errors import TransientError
from gateway.events import ButtonPressed, Cause, Event, GatewayFault
from gateway.settings import DeviceSettings, SiaSettings
from gateway.simulators.panel import Answer, SimulatedPanel

KEY = bytes(range(16))


class Desk:
    """A receiver with a listener behind it; `gate` holds up the journal."""

    def __init__(self, settings: SiaSettings | None = None) -> None:
        self.events: list[Event] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.full = False
        clock = SystemClock()
        supervision = SupervisionTimer("east", self._report, clock)
        self.listener = AlarmListener(
            site="east",
            report=self._report,
            unstored=lambda _event: None,
            answer=lambda _feedback: None,
            supervision=supervision,
            clock=clock,
            window_seconds=2.0,
        )
        for zone in ("5", "7"):
            self.listener.add(DeviceSettings(id=f"zone-{zone}", dialect="sia", account="1234", zone=zone))
        self.listener.add(DeviceSettings(id="secret", dialect="sia", account="ABCD"))
        self.receiver = SiaReceiver(
            settings or SiaSettings(port=0, accounts=({"account": "ABCD", "key": KEY.hex()},)),
            handler=self.listener.handle_panel,
            on_fault=self._fault,
            clock=clock,
        )

    async def _report(self, event: Event) -> Event:
        await self.gate.wait()
        if self.full and isinstance(event, ButtonPressed):
            raise TransientError("the disk is full")
        self.events.append(event)
        return event

    async def _fault(self, cause: Cause, who: str) -> None:
        await self.listener.faults.record(cause.at(f" ({who})"))

    async def __aenter__(self) -> "Desk":
        await self.receiver.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.receiver.stop()

    def presses(self) -> list[ButtonPressed]:
        return [each for each in self.events if isinstance(each, ButtonPressed)]

    def faults(self) -> list[str]:
        return [each.fault for each in self.events if isinstance(each, GatewayFault)]


@contextmanager
def panel(desk: Desk, **options: Any) -> Iterator[SimulatedPanel]:
    simulated = SimulatedPanel(host="127.0.0.1", port=desk.receiver.port, **options)
    yield simulated
    simulated.close()


def ask(call: Callable[[], Answer]) -> Awaitable[Answer]:
    return asyncio.to_thread(call)


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
async def test_a_press_is_acknowledged_and_stored(udp: bool, key: bytes | None) -> None:
    account, device = ("ABCD", "secret") if key else ("1234", "zone-5")
    async with Desk() as desk:
        with panel(desk, udp=udp, key=key, account=account) as simulated:
            answer = await ask(lambda: simulated.report("1120", 5))
        assert (answer.token, answer.sequence) == ("ACK", "0001")
        assert [(each.device, each.seq) for each in desk.presses()] == [(device, 1)]
        assert bool(answer.stamp) == bool(key)


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
async def test_the_acknowledgement_waits_for_the_commit(udp: bool) -> None:
    async with Desk() as desk:
        desk.gate.clear()
        with panel(desk, udp=udp, timeout=20) as simulated:
            asking = asyncio.ensure_future(ask(lambda: simulated.report("1120", 5)))
            done, _ = await asyncio.wait({asking}, timeout=0.5)
            assert not done, "a reply came before the event was stored"
            desk.gate.set()
            assert (await asking).token == "ACK"


async def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    async with Desk() as desk:
        desk.full = True
        with panel(desk, timeout=0.5) as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == ""
            desk.full = False
            assert (await ask(lambda: simulated.send("ADM-CID", "#1234|1120 01 005]", sequence="0001"))).token == "ACK"
        assert len(desk.presses()) == 1


async def test_a_retransmission_is_one_press_and_a_new_number_a_second() -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            for sequence in ("0001", "0001", "0002"):
                send = partial(simulated.send, "ADM-CID", "#1234|1120 01 005]", sequence=sequence)
                answer = await ask(send)
                assert (answer.token, answer.sequence) == ("ACK", sequence)
        assert len({each.id for each in desk.presses()}) == 2


async def test_a_link_test_is_acknowledged_and_a_sign_of_life() -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            assert (await ask(simulated.link_test)).token == "ACK"
        seen = {each.device: each.last_seen is not None for each in desk.listener._supervision.statuses()}
        assert seen == {"zone-5": True, "zone-7": True, "secret": False}
        assert desk.events == []


async def test_a_queued_event_keeps_its_time_and_is_late() -> None:
    async with Desk() as desk:
        occurred = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
        with panel(desk) as simulated:
            assert (await ask(lambda: simulated.report("1120", 7, occurred=occurred))).token == "ACK"
            assert (await ask(lambda: simulated.report("1120", 7, occurred=occurred))).token == "ACK"
        assert {(each.late, each.time) for each in desk.presses()} == {(True, occurred)}
        assert len({each.id for each in desk.presses()}) == 1


@pytest.mark.parametrize(("ahead", "token"), [(0, "ACK"), (15, "ACK"), (-35, "ACK"), (30, "NAK"), (-60, "NAK")])
async def test_a_clock_outside_of_the_window_is_refused_with_the_right_time(ahead: float, token: str) -> None:
    async with Desk() as desk:
        with panel(desk, clock_ahead=ahead) as simulated:
            answer = await ask(lambda: simulated.report("1120", 5))
        assert answer.token == token
        assert bool(desk.presses()) == (token == "ACK")
        if token == "NAK":
            assert desk.faults() == ["sia_wrong_time"]
            stamp = datetime.strptime(answer.stamp, "%H:%M:%S,%m-%d-%Y").replace(tzinfo=UTC)
            assert abs(datetime.now(UTC) - stamp) < timedelta(seconds=30)


async def test_an_account_with_a_key_is_not_taken_in_the_clear() -> None:
    async with Desk() as desk:
        with panel(desk, account="ABCD") as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == "NAK"
        assert desk.faults() == ["sia_not_encrypted"]


async def test_another_key_reads_nothing_and_is_not_answered() -> None:
    async with Desk() as desk:
        with panel(desk, account="ABCD", key=b"B" * 16, timeout=0.5) as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == ""
        assert desk.presses() == []
        assert desk.faults() == ["sia_bad_frame"]


async def test_an_encrypted_account_without_a_key_here_is_told_that_it_is_not_understood() -> None:
    async with Desk() as desk:
        with panel(desk, account="9999", key=KEY) as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == "DUH"
        assert desk.faults() == ["sia_no_key"]


async def test_an_unknown_account_is_refused_and_recorded() -> None:
    async with Desk() as desk:
        with panel(desk, account="777") as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == "NAK"
        assert desk.faults() == ["unknown_device"]


@pytest.mark.parametrize(("token", "content"), [("ADM-CID", "#1234|nonsense]"), ("SIA-XYZ", "#1234|Nri1/PA005]")])
async def test_what_is_not_understood_is_told_so(token: str, content: str) -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            assert (await ask(lambda: simulated.send(token, content))).token == "DUH"
        assert desk.faults() == ["sia_not_understood"]


async def test_a_zone_that_nobody_stands_for_is_recorded_and_acknowledged() -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            assert (await ask(lambda: simulated.report("1120", 99))).token == "ACK"
        assert desk.faults() == ["unknown_device"]


async def test_frames_in_one_piece_and_in_single_bytes_are_all_answered() -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            frames = [simulated.frame("ADM-CID", "#1234|1120 01 005]", f"{n:04}") for n in (1, 2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.receiver.port)
        writer.write(b"".join(frames))
        first = [await reader.readuntil(b"\r") for _ in range(2)]
        for byte in simulated.frame("NULL", "]", "0000"):
            writer.write(bytes([byte]))
            await writer.drain()
        first.append(await reader.readuntil(b"\r"))
        writer.close()
        await writer.wait_closed()
        assert [each.split(b'"')[1] for each in first] == [b"ACK"] * 3
        assert len({each.id for each in desk.presses()}) == 2


async def test_bytes_without_end_end_their_connection_and_no_other() -> None:
    async with Desk() as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.receiver.port)
        writer.write(b"x" * 8192)
        assert await reader.read() == b""
        writer.close()
        with panel(desk) as simulated:
            assert (await ask(simulated.link_test)).token == "ACK"
        assert desk.faults() == ["sia_bad_frame"]


async def test_more_panels_than_allowed_are_refused() -> None:
    async with Desk(SiaSettings(port=0, max_connections=1)) as desk:
        with panel(desk) as held:
            assert (await ask(held.link_test)).token == "ACK"
            reader, writer = await asyncio.open_connection("127.0.0.1", desk.receiver.port)
            assert await reader.read() == b""
            writer.close()
            assert desk.faults() == ["sia_too_many"]
            assert (await ask(held.link_test)).token == "ACK"


async def test_strangers_keep_no_panel_out() -> None:
    """A frame that is refused gives no place for an hour, and who has none acknowledged makes room."""
    async with Desk(SiaSettings(port=0, max_connections=2)) as desk:
        strangers = [await asyncio.open_connection("127.0.0.1", desk.receiver.port) for _ in range(2)]
        with panel(desk, account="9999") as unknown:
            assert (await ask(unknown.link_test)).token == "NAK"
            with panel(desk) as known:
                assert (await ask(known.link_test)).token == "ACK"
                more = [await asyncio.open_connection("127.0.0.1", desk.receiver.port) for _ in range(3)]
                assert await more[0][0].read() == b""
                assert (await ask(lambda: known.report("1120", 5))).token == "ACK"
        for each in (*strangers, *more):
            each[1].close()
        assert len(desk.presses()) == 1


async def test_a_connection_that_is_open_does_not_hold_up_the_end() -> None:
    async with Desk() as desk:
        with panel(desk) as simulated:
            await ask(simulated.link_test)
            await asyncio.wait_for(desk.receiver.stop(), 5)


async def test_a_plain_message_on_an_address_that_others_reach_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.alarms.sia.receiver.LOOPBACK", frozenset())
    async with Desk() as desk:
        with panel(desk) as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == "NAK"
        assert desk.faults() == ["sia_not_encrypted"]
    async with Desk(SiaSettings(port=0, allow_plain=True)) as desk:
        with panel(desk) as simulated:
            assert (await ask(lambda: simulated.report("1120", 5))).token == "ACK"


async def test_a_flood_of_datagrams_takes_no_memory_and_a_panel_gets_through() -> None:
    async with Desk() as desk:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            for _ in range(2000):
                flood.sendto(b"\nnonsense\r", ("127.0.0.1", desk.receiver.port))
        with panel(desk, udp=True, timeout=2) as simulated:
            answer = await ask(lambda: simulated.send("NULL", "]", sequence="0000", repeat=5))
        assert answer.token == "ACK"
        assert len(desk.faults()) <= 20


async def test_the_simulated_panel_is_one_that_another_receiver_accepts() -> None:
    """pysiaalarm, where it is installed: written by others, so that ours do not agree on the same mistake."""
    account_module = pytest.importorskip("pysiaalarm.aio")
    heard: list[Any] = []

    async def note(event: Any) -> None:
        heard.append(event)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    accounts = [account_module.SIAAccount("1234"), account_module.SIAAccount("ABCD", "A" * 16)]
    client = account_module.SIAClient("127.0.0.1", port, accounts, note)
    await client.async_start()
    try:
        plain = SimulatedPanel(host="127.0.0.1", port=port)
        secret = SimulatedPanel(host="127.0.0.1", port=port, account="ABCD", key=b"A" * 16)
        for simulated in (plain, secret):
            assert (await ask(partial(simulated.report, "1120", 5))).token == "ACK"
            simulated.close()
    finally:
        await client.async_stop()
    assert [each.code for each in heard] == ["PA", "PA"]
