"""SIGKILLs of the daemon at random moments under load: what was acknowledged is in the journal, once, in one incident.

Run:  .venv/bin/python benchmarks/crash_alarms.py [--kills 500] [--quick] [--json] [--folder DIR] [--keep]

50 clients press 200 times a second together: QoS 1 and 2, MQTT 3.1.1 and 5, with sessions that last. A client whose
connection ends connects again and sends again what was not acknowledged (QoS 2: PUBLISH, or PUBREL behind PUBREC), as
the standard says. With --keep the state stays in the folder, and a later run with the same folder goes on from it.
At the end the incident desk catches up, as it does at each start, and the journal is read: acknowledged presses that
are missing, presses that are there twice, incidents that were lost or doubled (each press must have opened one
incident, or raised one again, and no more than one).
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options  # noqa: E402  # found through the line above
from harness.daemon import Daemon  # noqa: E402

from gateway.alarms.codec import PacketReader, encode_packet  # noqa: E402
from gateway.alarms.packets import (  # noqa: E402
    Connack,
    Connect,
    Packet,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
)
from gateway.alarms.properties import NOTHING, Properties  # noqa: E402
from gateway.clock import SystemClock  # noqa: E402
from gateway.events import ButtonPressed, IncidentOpened, IncidentRaisedAgain  # noqa: E402
from gateway.incidents import IncidentDesk  # noqa: E402
from gateway.settings import StorageSettings  # noqa: E402
from gateway.storage import open_storage  # noqa: E402

CLIENTS, RATE = 50, 200.0


@dataclass
class Client:
    """One button that never gives a press up."""

    number: int
    port: int
    run: str
    underway: dict[int, Packet] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    pressed: int = 0
    connects: int = 0
    stopping: bool = False
    _writer: asyncio.StreamWriter | None = None

    @property
    def level(self) -> int:
        return 5 if self.number % 2 else 4

    @property
    def qos(self) -> int:
        return 2 if self.number % 4 < 2 else 1

    def press(self) -> None:
        """Press once; what is not acknowledged is sent again."""
        if len(self.underway) >= 20:
            return
        self.pressed += 1
        identifier = self.pressed % 60_000 + 1
        self.ids[identifier] = f"{self.run}-{self.number}-{self.pressed}"
        packet = Publish(
            topic=f"campus/east/button/btn-{self.number:04}/event",
            payload=json.dumps({"id": self.ids[identifier], "type": "press"}).encode(),
            qos=self.qos,
            packet_id=identifier,
        )
        self.underway[identifier] = packet
        self._send(packet)

    def _send(self, packet: Packet) -> None:
        if self._writer is not None:
            self._writer.write(encode_packet(packet, self.level))

    async def run_forever(self) -> None:
        """Connect, again and again."""
        while not (self.stopping and not self.underway):
            try:
                await self._connected()
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                if self._writer is not None:
                    self._writer.close()
                    self._writer = None
            await asyncio.sleep(random.uniform(0.02, 0.1))  # noqa: S311  # no secret

    async def _connected(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        packets = PacketReader(100_000, self.level)
        said = Properties(session_expiry=3600) if self.level == 5 else NOTHING
        hello = Connect(
            client_id=f"btn-{self.number:04}", clean_session=False, protocol_level=self.level, properties=said
        )
        writer.write(encode_packet(hello, self.level))
        try:
            while data := await reader.read(65536):
                for packet in packets.feed(data):
                    if isinstance(packet, Connack):
                        self.connects += 1
                        self._writer = writer
                        for waiting in self.underway.values():
                            self._send(_again(waiting))
                    else:
                        self._take(packet)
                if self.stopping and not self.underway:
                    return
        finally:
            writer.close()

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Puback):
            self._done(packet.packet_id)
        elif isinstance(packet, Pubrec):
            if packet.packet_id in self.ids:
                self.acknowledged.append(self.ids[packet.packet_id])
            self.underway[packet.packet_id] = Pubrel(packet.packet_id)
            self._send(Pubrel(packet.packet_id))
        elif isinstance(packet, Pubcomp):
            self.underway.pop(packet.packet_id, None)

    def _done(self, identifier: int) -> None:
        if self.underway.pop(identifier, None) is not None:
            self.acknowledged.append(self.ids[identifier])


def _again(packet: Packet) -> Packet:
    if not isinstance(packet, Publish):
        return packet
    return Publish(topic=packet.topic, payload=packet.payload, qos=packet.qos, packet_id=packet.packet_id, dup=True)


async def press_at_rate(clients: list[Client], ended: asyncio.Event) -> None:
    """All together so many presses a second."""
    began, turn = time.monotonic(), 0
    while not ended.is_set():
        while turn < (time.monotonic() - began) * RATE:
            clients[turn % len(clients)].press()
            turn += 1
        await asyncio.sleep(0.005)


async def kill_at_random(daemon: Daemon, kills: int, chance: random.Random) -> None:
    """Kill, start again, wait until it is ready, and some time more or less."""
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.02, 0.8))
        await asyncio.to_thread(daemon.kill)
        await asyncio.to_thread(daemon.start)


async def count(state: Path, run: str, acknowledged: set[str]) -> dict[str, Any]:
    """What the journal and the incidents say."""
    settings = StorageSettings(directory=state, reserve_megabytes=1)
    stores = await open_storage(settings, SystemClock())
    try:
        desk = IncidentDesk(stores.journal, stores.incidents, SystemClock())
        await desk.load()
        await desk.catch_up()
        presses: list[tuple[str, str]] = []
        triggers: Counter[str] = Counter()
        after = 0
        while page := await stores.journal.read(after, 500):
            events = [each.event for each in page]
            presses += [(e.press_id or "", e.id) for e in events if isinstance(e, ButtonPressed)]
            triggers.update(e.trigger for e in events if isinstance(e, IncidentOpened | IncidentRaisedAgain))
            after = page[-1].position
        incidents = await stores.incidents.unresolved()
        whole = await stores.journal.verify() is None
    finally:
        await stores.close()
    per_id = Counter(press for press, _event in presses)
    mine = {press for press in per_id if press.startswith(f"{run}-")}
    return {
        "acknowledged": len(acknowledged),
        "in_the_journal": len(mine),
        "acknowledged_and_not_in_the_journal": len(acknowledged - per_id.keys()),
        "in_the_journal_twice": sum(times > 1 for times in per_id.values()),
        "chain_whole": whole,
        "incidents": len(incidents),
        "presses_without_incident": sum(event not in triggers for _press, event in presses),
        "presses_in_two_incidents": sum(times > 1 for times in triggers.values()),
    }


async def measure(folder: Path, kills: int) -> dict[str, Any]:
    """Press and kill, then count."""
    devices = "".join(f'[[devices]]\nid = "btn-{n:04}"\n' for n in range(CLIENTS))
    daemon = Daemon(folder, extra=devices)
    run = f"r{time.time_ns() // 1_000_000}"
    await asyncio.to_thread(daemon.start)
    clients = [Client(number, daemon.mqtt_port, run) for number in range(CLIENTS)]
    ended, began = asyncio.Event(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run_forever())
        group.create_task(press_at_rate(clients, ended))
        await kill_at_random(daemon, kills, random.Random(began))  # noqa: S311  # no secret
        ended.set()
        for client in clients:
            client.stopping = True
            for waiting in [*client.underway.values()]:
                client._send(_again(waiting))  # noqa: SLF001  # nudges those that would read for ever
            if not client.underway and client._writer is not None:  # noqa: SLF001  # nothing more will come
                client._writer.close()  # noqa: SLF001
    await asyncio.sleep(3)
    await asyncio.to_thread(daemon.stop)
    acknowledged = {press for client in clients for press in client.acknowledged}
    result = await count(daemon.state, run, acknowledged)
    result |= {"kills": kills, "seconds": round(time.monotonic() - began, 1)}
    result["pressed"] = sum(client.pressed for client in clients)
    result["unexpected_in_the_log"] = sum("Traceback" in line for line in daemon.log)
    return result


def main() -> int:
    """Measure and print; 1 if anything was lost or doubled."""
    parser = options(__doc__, quick="8 kills")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--keep", action="store_true", help="keep the state, go on from it")
    arguments = parser.parse_args()
    kills = 8 if arguments.quick else arguments.kills
    if arguments.keep:
        result = asyncio.run(measure(arguments.folder / "crash-alarms", kills))
    else:
        with folder_in(arguments.folder) as folder:
            result = asyncio.run(measure(folder, kills))
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' '):40} {value}")
    bad = ("acknowledged_and_not_in_the_journal", "in_the_journal_twice", "presses_in_two_incidents")
    return 1 if any(result[name] for name in bad) or result["presses_without_incident"] else 0


if __name__ == "__main__":
    sys.exit(main())
