"""A client of the endpoint that notes what it was promised, and looks whether that was kept."""

from collections import Counter
from dataclasses import dataclass, field

from gateway.alarms.packets import (
    LEVEL_5,
    Disconnect,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Will,
)
from gateway.alarms.properties import Properties
from gateway.alarms.reasons import FAILURE
from harness.endpoint import Client


async def lasting(port: int, client_id: str, will: Will | None = None) -> Client:
    """A client whose session lasts an hour."""
    lasts = Properties(session_expiry=3600)
    return await Client.open(
        port, client_id=client_id, clean_session=False, protocol_level=LEVEL_5, properties=lasts, will=will
    )


@dataclass
class Ledger:
    """Publishes retained messages, QoS 1 and 2 in turns, that also wait for a subscriber who is away.

    Attributes:
        acknowledged: by PUBACK or PUBREC.
        completed: of those with QoS 2, by PUBCOMP.
        refused: how often a connection ended instead.
    """

    port: int
    newest: int = 0
    acknowledged: set[int] = field(default_factory=set)
    completed: set[int] = field(default_factory=set)
    refused: int = 0

    async def subscribe(self) -> None:
        """Let a subscriber come and go."""
        away = await lasting(self.port, "away")
        await away.send(Subscribe(1, (("t/#", 1),)))
        await away.expect(Suback(1, (1,)))
        await away.close()

    async def send(self, count: int) -> None:
        """Publish so many new messages, before them the last one if it was refused; returns once one is refused."""
        if self.newest and not self._is_done(self.newest) and not await self._try(self.newest, again=True):
            return
        for _ in range(count):
            self.newest += 1
            if not await self._try(self.newest, again=False):
                return

    async def send_next(self) -> None:
        """Give up what was refused, and publish one with the other QoS."""
        self.newest += 1
        await self._try(self.newest, again=False)

    def _is_done(self, number: int) -> bool:
        return number in (self.completed if number % 2 else self.acknowledged)

    async def _try(self, number: int, *, again: bool) -> bool:
        """Whether all that a message asks for was acknowledged; what is not is sent again, as MQTT demands (§4.4)."""
        try:
            sender = await lasting(self.port, "sender")
        except (OSError, AssertionError):
            self.refused += 1
            return False
        if number not in self.acknowledged:
            await sender.send(_message(number, again=again))
            if await _granted(sender, Pubrec if number % 2 else Puback):
                self.acknowledged.add(number)
        if number % 2 and number in self.acknowledged:
            await sender.send(Pubrel(number))
            if await _granted(sender, Pubcomp):
                self.completed.add(number)
        await sender.close()
        self.refused += not self._is_done(number)
        return self._is_done(number)

    async def check(self) -> None:
        """Behind a new start: nothing that was acknowledged is lost, and nothing with QoS 2 is there twice."""
        sender = await lasting(self.port, "sender")
        assert sender.connack.session_present
        await sender.close()
        await self.send(1)
        assert self._is_done(self.newest)
        away = await lasting(self.port, "away")
        assert away.connack.session_present
        got = Counter[int]()
        while self.newest not in got:
            packet = await away.read()
            assert isinstance(packet, Publish)
            got[int(packet.payload.split()[0])] += 1
            await away.send(Puback(packet.packet_id))
        await away.close()
        assert not self.acknowledged - got.keys(), "acknowledged, and not for who was away"
        assert [number for number, count in got.items() if number % 2 and count > 1] == []
        reader = await Client.open(self.port, client_id="reader")
        await reader.send(Subscribe(1, (("t/#", 0),)))
        await reader.expect(Suback(1, (0,)))
        kept = set[int]()
        while self.newest not in kept:
            packet = await reader.read()
            assert isinstance(packet, Publish)
            kept.add(int(packet.payload.split()[0]))
        await reader.close()
        assert not self.acknowledged - kept, "acknowledged, and not retained"


def _message(number: int, *, again: bool) -> Publish:
    payload = b"%d " % number + bytes(100)
    qos = 2 if number % 2 else 1
    return Publish(topic=f"t/{number}", payload=payload, qos=qos, packet_id=number, retain=True, dup=again)


async def _granted(sender: Client, kind: type[Puback | Pubrec | Pubcomp]) -> bool:
    answer = await sender.read()
    if answer is None or isinstance(answer, Disconnect):
        return False
    assert isinstance(answer, kind)
    return kind is Pubcomp or answer.reason < FAILURE
