"""Fuzzes the MQTT codec under atheris (coverage-guided; `pip install atheris` by hand), until its time is over.

Run:  python tests/harness/fuzz_mqtt.py SECONDS [CORPUS]

Whatever the bytes: a packet, or a MalformedPacketError. What was read must come back from its own encoding.
"""

import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import atheris  # noqa: E402  # installed by hand

with atheris.instrument_imports(include=["gateway.alarms"]):
    from gateway.alarms.codec import PacketReader, encode_packet
    from gateway.alarms.wireformat import MalformedPacketError


def one_input(data: bytes) -> None:
    """Read the bytes as a stream of either version, in pieces."""
    if len(data) < 2:
        return
    level, step = (5 if data[0] & 1 else 4), data[1] % 32 + 1
    stream = data[2:]
    reader = PacketReader(4096, level)
    with contextlib.suppress(MalformedPacketError):
        for start in range(0, len(stream), step):
            before = reader.level
            for packet in reader.feed(stream[start : start + step]):
                again = list(PacketReader(8192, before).feed(encode_packet(packet, reader.level)))
                assert again == [packet], (again, packet)
                before = reader.level


def main() -> None:
    """Run for the asked time; libFuzzer ends the process with its own code."""
    seconds, corpus = sys.argv[1], sys.argv[2:]
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=512", "-rss_limit_mb=2048", *corpus], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
