"""The command of a simulated receiver: options, one line for each event, and its end."""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.simulators.receiver import Misbehaviour, WebhookReceiver

_FAILED, _WRONG_USAGE = 1, 2
_MOST_INCIDENTS = 1000
_ID = re.compile(r"[0-9a-f-]{32,36}")


class KnownIncidents:
    """Where incidents are and of what kind, as their openings told: what follows names them by their ids alone."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def about(self, data: dict[str, Any]) -> tuple[str, str]:
        """Place and kind of the incident that an event is of; empty if it is of none, or of one that was never told."""
        if not (incident := str(data.get("incident") or "")):
            return "", ""
        told = str(data.get("place") or data.get("title") or ""), str(data.get("kind") or "")
        known = self._known.pop(incident, ("", ""))
        place, kind = self._known[incident] = told[0] or known[0], told[1] or known[1]
        while len(self._known) > _MOST_INCIDENTS:
            self._known.pop(next(iter(self._known)))
        return place, kind


def line_of(event: dict[str, Any], label: str, incidents: KnownIncidents) -> str:
    """One line for people: who received what, where, how late; control characters are shown, not obeyed."""
    data = event.get("data")
    words = data if isinstance(data, dict) else {}
    of_incident, kind = incidents.about(words)
    place = words.get("place") or words.get("name") or of_incident or _short(str(event.get("subject", "")))
    place = f"{place} · {kind}" if kind else place
    drill = " [DRILL 演练]" if event.get("drill") else ""
    line = f"{label}: {event.get('severity', '?'):8} {event['type']:32} {place}{drill}  ({_lateness(event)})"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)


def _short(subject: str) -> str:
    """An id that only programs remember, such as an incident's, by its end."""
    return f"…{subject[-6:]}" if _ID.fullmatch(subject) else subject


def _lateness(event: dict[str, Any]) -> str:
    try:
        happened = datetime.fromisoformat(event["time"])
        return f"+{(datetime.now(UTC) - happened).total_seconds() * 1e3:.0f} ms"
    except (KeyError, ValueError, TypeError):
        return "no time"


def run_receiver(argv: Sequence[str], *, name: str, label: str, port: int) -> int:
    """The command of a receiver; ends on SIGTERM, or with its parent if asked.

    Returns:
        the exit code.
    """
    arguments = _parser(name, port).parse_args(argv)
    try:
        secret = arguments.secret_file.read_text("utf-8").strip() if arguments.secret_file is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        return _say(name, f"{arguments.secret_file} cannot be read: {type(error).__name__}", _WRONG_USAGE)
    if not secret:
        _say(name, "no --secret-file: unsigned events are taken")
    try:
        asyncio.run(_serve(arguments, secret, label))
    except ValueError as error:
        return _say(name, f"{arguments.secret_file}: {error}", _WRONG_USAGE)
    except OSError as error:
        return _say(name, f"{arguments.host}:{arguments.port}: {error.strerror or error}", _FAILED)
    return 0


def _say(name: str, text: str, code: int = 0) -> int:
    print(f"{name}: {text}", file=sys.stderr, flush=True)  # noqa: T201  # a command
    return code


def _parser(name: str, port: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"campus-gateway simulate {name}",
        description=f"A simulated {name}: an HTTP receiver of CloudEvents that verifies Standard Webhooks signatures.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port, help=f"0 takes a free one (default {port})")
    parser.add_argument("--secret-file", type=Path, help="file with the whsec_… signing secret")
    parser.add_argument("--list", type=Path, metavar="FILE", help="append each event, once, as one line of JSON")
    parser.add_argument("--fail-rate", type=_share, default=0.0, help="share answered with HTTP 500, unread")
    parser.add_argument("--lose-rate", type=_share, default=0.0, help="share taken in, then answered with HTTP 500")
    parser.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds before each answer")
    parser.add_argument("--status", type=int, default=0, help="answer everything with this status, unread")
    parser.add_argument("--retry-after", default="", help="Retry-After header of that answer")
    parser.add_argument("--drop-after", type=int, metavar="N", help="answer N requests, then cut each unanswered")
    parser.add_argument("--stall", action="store_true", help="never answer")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when stdin is closed")
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a share is 0 to 1")
    return share


async def _serve(arguments: argparse.Namespace, secret: str, label: str) -> None:
    incidents = KnownIncidents()

    def show(event: dict[str, Any]) -> None:
        print(line_of(event, label, incidents), flush=True)  # noqa: T201  # what the command is for
        if arguments.list is not None:
            with arguments.list.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")

    bad = Misbehaviour(
        fail_rate=arguments.fail_rate,
        lose_rate=arguments.lose_rate,
        delay_seconds=arguments.delay,
        status=arguments.status,
        retry_after=arguments.retry_after,
        drop_after=arguments.drop_after,
        stall=arguments.stall,
    )
    receiver = WebhookReceiver(secret=secret, host=arguments.host, port=arguments.port, misbehaviour=bad, on_event=show)
    async with receiver, _until_told(with_parent=arguments.exit_with_parent):
        print(f"ready {receiver.url}", flush=True)  # noqa: T201  # the first line


@contextlib.asynccontextmanager
async def _until_told(*, with_parent: bool) -> AsyncIterator[None]:
    """Runs the block, then waits for a signal or the end of stdin."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        try:
            loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(0, 4096) else None)
        except PermissionError:  # a file or /dev/null, which epoll cannot watch: it has ended already
            stop.set()
    yield
    await stop.wait()
