"""The embedded endpoint alone, as a program that reads the few lines of mosquitto.conf that its broker tests use."""

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from gateway.alarms import InboundMessage, MqttEndpoint
from gateway.clock import SystemClock
from gateway.events import Cause
from gateway.settings import MqttSettings, StorageSettings
from gateway.storage import Journal, MqttSessionStore

_NUMBERS = {
    "max_packet_size": "max_packet_bytes",
    "max_keepalive": "max_keepalive_seconds",
    "max_inflight_messages": "max_inflight",
}


def settings_of(path: Path | None, port: int) -> tuple[dict[str, Any], Path | None]:
    """Settings of the endpoint, and the file that stands for its state if that outlives it."""
    settings: dict[str, Any] = {"port": port, "max_packet_bytes": 1_048_576, "max_inflight": 20}
    settings["max_keepalive_seconds"] = 65535
    kept: Path | None = None
    for line in path.read_text("utf-8").splitlines() if path else ():
        key, _, value = line.strip().partition(" ")
        if key in {"port", "listener"} and not port:
            settings["port"] = int(value.split()[0])
        elif key in _NUMBERS:
            settings[_NUMBERS[key]] = int(value)
        elif key == "allow_anonymous":
            settings["allow_anonymous"] = value == "true"
        elif key == "persistence" and value == "true":
            kept = kept or Path("mosquitto.db")
        elif key == "persistence_file":
            kept = Path(value)
    return settings, kept


def forget_unless(kept: Path, directory: Path) -> None:
    """Forget all if a test has removed the file that stands for the state."""
    if not kept.exists() and kept.name != "mosquitto.db":
        for each in directory.glob("journal.db*"):
            each.unlink()


async def handle(_message: InboundMessage) -> None:
    """Nothing is the gateway's own here."""


async def fault(_cause: Cause, _client: str) -> None:
    """Tests look at what the client sees."""


async def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("-p", type=int, default=0, dest="port")
    parser.add_argument("-c", type=Path, dest="configuration")
    arguments = parser.parse_args()
    settings, kept = settings_of(arguments.configuration, arguments.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        store = None
        if kept is not None:
            directory = Path(os.environ["BARE_ENDPOINT_STATE"])
            forget_unless(kept, directory)
            stack.callback(kept.touch)
            storage = StorageSettings(directory=directory, reserve_megabytes=1)
            journal = await Journal.open(directory, clock=SystemClock(), settings=storage)
            stack.push_async_callback(journal.close)
            store = MqttSessionStore(journal)
        endpoint = MqttEndpoint(
            MqttSettings(**settings),
            takes=lambda _topic: False,
            private=lambda _topic: False,
            handler=handle,
            on_fault=fault,
            store=store,
        )
        await endpoint.start()
        await stop.wait()
        await endpoint.stop()


if __name__ == "__main__":
    asyncio.run(main())
