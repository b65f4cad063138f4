"""The load generator of the alarm benchmarks, as a program of its own: many buttons over raw sockets, both versions.

Run by the other scripts; prints one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import struct
import time


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, digit = divmod(size, 128)
        encoded.append(digit | (128 if size else 0))
        if not size:
            return bytes(encoded)


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


class Button(asyncio.Protocol):
    """One client: publishes, up to `window` at a time, and acknowledges its feedback.

    With QoS 2 its session lasts, a press is acknowledged by PUBREC, and has its place in the window until PUBCOMP.
    """

    def __init__(self, number: int, run: str, window: int, rate: float, feedback: bool, qos: int = 1) -> None:
        self.qos = qos
        self.unreleased = 0
        self.number = number
        self.run = run
        self.window = window
        self.rate = rate
        self.feedback = feedback
        self.level = 5 if number % 2 else 4
        self.sent: dict[int, float] = {}
        self.pressed = 0
        self.acknowledged = 0
        self.latencies: list[float] = []
        self.answers = 0
        self.ready = asyncio.Event()
        self.stopped = False
        self.buffer = b""
        self.device = f"btn-{number:04}"

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        lasting = b"\x05\x11" + struct.pack(">I", 3600) if self.qos == 2 else b"\x00"
        properties = lasting if self.level == 5 else b""
        body = (
            _text("MQTT")
            + bytes([self.level, 0 if self.qos == 2 else 2])
            + struct.pack(">H", 60)
            + properties
            + _text(self.device)
        )
        transport.write(b"\x10" + _length(len(body)) + body)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data
        place = 0
        while len(buffer) - place >= 2:
            size, step = buffer[place + 1], 2
            if size & 128:
                if len(buffer) - place < 3:
                    break
                size, step = size & 127 | buffer[place + 2] << 7, 3
            if len(buffer) - place < step + size:
                break
            self._take(buffer[place], buffer[place + step : place + step + size])
            place += step + size
        self.buffer = buffer[place:]

    def _take(self, head: int, body: bytes) -> None:
        kind = head >> 4
        if kind == 7:
            self.unreleased -= 1
            if not self.rate:
                self.press()
        elif kind in (4, 5):
            (identifier,) = struct.unpack_from(">H", body)
            self.latencies.append(time.perf_counter() - self.sent.pop(identifier))
            self.acknowledged += 1
            if kind == 5:
                self.unreleased += 1
                self.transport.write(b"\x62\x02" + body[:2])
            elif not self.rate:
                self.press()
        elif kind == 3:
            self.answers += 1
            name = struct.unpack_from(">H", body)[0]
            self.transport.write(b"\x40\x02" + body[2 + name : 4 + name])
        elif kind == 2:
            if self.feedback:
                properties = b"\x00" if self.level == 5 else b""
                topic = _text(f"campus/east/button/{self.device}/feedback")
                body = b"\xff\xff" + properties + topic + b"\x01"
                self.transport.write(b"\x82" + _length(len(body)) + body)
            else:
                self.ready.set()
        elif kind == 9:
            self.ready.set()

    def press(self) -> None:
        """Publish one."""
        while not self.stopped and len(self.sent) + self.unreleased < self.window:
            self.pressed += 1
            identifier = self.pressed % 60_000 + 1
            payload = b'{"id":"%s-%d-%d","type":"press"}' % (self.run.encode(), self.number, self.pressed)
            properties = b"\x00" if self.level == 5 else b""
            topic = _text(f"campus/east/button/{self.device}/event")
            body = topic + struct.pack(">H", identifier) + properties + payload
            self.sent[identifier] = time.perf_counter()
            self.transport.write(bytes([0x30 | self.qos << 1]) + _length(len(body)) + body)
            if self.rate:
                return

    def connection_lost(self, error: Exception | None) -> None:
        self.stopped = True
        if error is not None or self.sent:
            print(json.dumps({"lost": self.device, "error": str(error)}), flush=True)


async def at_rate(buttons: list[Button], arguments: argparse.Namespace) -> None:
    """Press in turns, so many a second, whatever the answers do."""
    began, turn = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < arguments.seconds:
        while turn < now * arguments.rate:
            buttons[turn % len(buttons)].press()
            turn += 1
        await asyncio.sleep(0.001)  # uvloop's clock counts milliseconds: less is a busy loop


async def flat_out(buttons: list[Button], seconds: float) -> None:
    """Each presses again as soon as it is acknowledged."""
    for button in buttons:
        button.press()
    await asyncio.sleep(seconds)


async def connected(arguments: argparse.Namespace) -> list[Button]:
    """The buttons, each ready to press."""
    loop = asyncio.get_running_loop()
    buttons: list[Button] = []
    for number in range(arguments.clients):
        _transport, button = await loop.create_connection(
            lambda number=number: Button(
                number,
                arguments.run,
                arguments.window,
                arguments.rate,
                not arguments.no_feedback,
                arguments.qos,
            ),
            "127.0.0.1",
            arguments.port,
        )
        buttons.append(button)
    for button in buttons:
        await asyncio.wait_for(button.ready.wait(), 20)
    return buttons


async def drive(arguments: argparse.Namespace) -> dict[str, object]:
    """Press for the asked time; counts, latencies and this program's own CPU."""
    buttons = await connected(arguments)
    began, cpu = time.perf_counter(), time.process_time()
    await (at_rate(buttons, arguments) if arguments.rate else flat_out(buttons, arguments.seconds))
    counted = sum(button.acknowledged for button in buttons)
    seconds = time.perf_counter() - began
    used = time.process_time() - cpu
    for button in buttons:
        button.stopped = True
    for _ in range(2000):
        if not any(button.sent or button.unreleased for button in buttons):
            break
        await asyncio.sleep(0.01)
    latencies = sorted(each for button in buttons for each in button.latencies)
    for button in buttons:
        button.sent.clear()
        button.transport.close()

    def at(share: float) -> float:
        return round(latencies[min(len(latencies) - 1, int(len(latencies) * share))] * 1e3, 3) if latencies else 0.0

    return {
        "acknowledged": counted,
        "all_acknowledged": sum(button.acknowledged for button in buttons),
        "pressed": sum(button.pressed for button in buttons),
        "feedback": sum(button.answers for button in buttons),
        "per_second": round(counted / seconds, 1),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "p999_ms": at(0.999),
        "generator_cpu_share": round(used / seconds, 3),
        "generator_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Parse, press, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.0, help="presses a second, all together; 0: as fast as they go")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--run", default="r", help="begins each press id")
    parser.add_argument("--qos", type=int, choices=(1, 2), default=1)
    parser.add_argument("--no-feedback", action="store_true")
    import uvloop  # noqa: PLC0415  # the program's own loop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(drive(parser.parse_args()))))


if __name__ == "__main__":
    main()
