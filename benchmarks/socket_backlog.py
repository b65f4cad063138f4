"""What waits in the sockets between simulated cameras and the gateway: sent, and not yet read by anybody."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

_TABLE = Path("/proc/net/tcp")
_EACH_SECONDS = 0.1
_ESTABLISHED = "01"


def waiting_bytes(table: str, ports: frozenset[int]) -> dict[int, int]:
    """Bytes that wait in each connection to one of these server ports on this machine, by the client's port.

    Args:
        table: as of proc(5), /proc/net/tcp: unsent bytes of the server's end and unread ones of the client's.
        ports: of the servers.
    """
    found: dict[int, int] = defaultdict(int)
    for line in table.splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        ours, theirs = int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16)
        unsent, unread = (int(each, 16) for each in queues.split(":"))
        if state == _ESTABLISHED and theirs in ports:
            found[ours] += unread
        elif state == _ESTABLISHED and ours in ports:
            found[theirs] += unsent
    return dict(found)


class SocketBacklog(threading.Thread):
    """Samples until ended how much of the streams waits; in milliseconds of a stream.

    A picture's age at its decision counts from when its packet was read, so this comes on top of it.

    Args:
        urls: of the simulated cameras.
        bytes_per_second: of one stream.
    """

    def __init__(self, urls: Sequence[str], bytes_per_second: float) -> None:
        super().__init__(name="socket backlog")
        self._ports = frozenset(urlsplit(url).port or 0 for url in urls)
        self._per_ms = bytes_per_second / 1000
        self.ended = threading.Event()
        self.milliseconds: list[float] = []

    def run(self) -> None:
        """Sample."""
        while not self.ended.wait(_EACH_SECONDS):
            waiting = waiting_bytes(_TABLE.read_text(), self._ports)
            self.milliseconds += [each / self._per_ms for each in waiting.values()]

    def quantile(self, share: float) -> float:
        """The time that this share (0..1) of all samples did not pass, in ms."""
        ordered = sorted(self.milliseconds)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0
