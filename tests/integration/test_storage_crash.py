"""The journal and a process that is killed at any moment: what was acknowledged is there, once, with a whole chain."""

import asyncio
import random
import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.settings import StorageSettings
from gateway.storage import Journal

KILLS = 15

# Several appends are under way at once; an id is printed only after its append returned. The ballast is small because
# only the journal is under test.
APPENDER = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.clock import SystemClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import open_storage

async def produce(journal, run, lane):
    number = 0
    while True:
        identity = f"{run}-{lane}-{number}"
        await journal.append(ButtonPressed(
            id=identity, source="/site/s/button/b", subject="b", time=datetime.now(UTC), device="b"))
        os.write(1, identity.encode() + b"\\n")
        number += 1

async def main(directory, run, lanes):
    settings = StorageSettings(directory=Path(directory), reserve_megabytes=1)
    stores = await open_storage(settings, SystemClock())
    os.write(1, b"open\\n")
    await asyncio.gather(*(produce(stores.journal, run, lane) for lane in range(int(lanes))))

asyncio.run(main(*sys.argv[1:]))
"""


async def acknowledged_before_a_kill(directory: Path, run: int, chance: random.Random) -> list[str]:
    lanes = chance.choice(["1", "4", "32"])
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", APPENDER, str(directory), str(run), lanes), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"open\n"
    await asyncio.sleep(chance.uniform(0.005, 0.15))
    child.kill()
    said = (await child.stdout.read()).decode()
    await child.wait()
    return said.rpartition("\n")[0].split()


async def test_what_was_acknowledged_survives_every_kill_exactly_once(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    chance = random.Random(20261123)
    acknowledged: list[str] = []
    for run in range(KILLS):
        acknowledged += await acknowledged_before_a_kill(directory, run, chance)
    journal = await Journal.open(directory, clock=SystemClock(), settings=StorageSettings(directory=directory))
    try:
        kept = [each.event.id for each in await journal.read(0, 10**6)]
        assert acknowledged
        assert len(kept) == len(set(kept)) == journal.last_position
        assert set(acknowledged) <= set(kept)
        assert await journal.verify() is None
    finally:
        await journal.close()
