"""The command line of the simulated camera."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from gateway.errors import GatewayError, PermanentError
from gateway.simulators.camera.camera import Ports, SimulatedCamera
from gateway.simulators.camera.quirks import KNOWN
from gateway.simulators.camera.sample import CODECS, write_test_recording

_FAILED = 1
_READ_SIZE = 4096


def main(argv: Sequence[str]) -> int:
    """Run a simulated camera until SIGTERM or SIGINT; returns the exit code.

    Prints ``ready <onvif address> <rtsp address>`` on stdout once it serves; everything else goes to stderr.
    """
    chosen = _parser().parse_args(argv)
    if chosen.list_quirks:
        sys.stdout.write(_quirk_table())
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="camera-") as folder:
            asyncio.run(_run(chosen, chosen.recording or _test_recording(Path(folder), chosen.codec)))
    except GatewayError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


def _test_recording(folder: Path, codec: str) -> Path:
    sys.stderr.write("no --recording given: showing a test picture\n")
    return write_test_recording(folder / "test-picture.mp4", codec=codec)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="campus-gateway simulate camera", description="A camera with ONVIF and RTSP that plays a recording."
    )
    add = parser.add_argument
    add(
        "--recording",
        type=Path,
        metavar="FILE",
        help="main stream, with an H.264 or H.265 track (default: a test picture)",
    )
    add("--codec", choices=CODECS, default="h264", help="codec of the test picture (default: %(default)s)")
    add("--sub", type=Path, metavar="FILE", help="recording of the sub-stream")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--http-port", type=int, default=0, metavar="N", help="port of ONVIF and snapshots (default: any free one)")
    add("--rtsp-port", type=int, default=0, metavar="N", help="port of the streams (default: any free one)")
    add(
        "--discovery-port",
        type=int,
        metavar="N",
        help="UDP port of WS-Discovery, usually 3702 (default: none)",
    )
    add("--username", default="", metavar="NAME", help="user of ONVIF, RTSP and snapshots (default: open to all)")
    add("--password-file", type=Path, metavar="FILE", help="file whose first line is the password")
    add("--once", dest="loop", action="store_false", help="end each stream at the recording's end")
    add("--loop", dest="loop", action="store_true", default=True, help="play again and again (default)")
    add("--quirk", action="append", default=[], metavar="NAME[=N]", help="do wrong what real cameras do; repeatable")
    add("--list-quirks", action="store_true", help="print the quirks, with the acceptance items of each, and end")
    add("--exit-with-parent", action="store_true", help="end when stdin closes")
    return parser


def _quirk_table() -> str:
    """Name with default, what it does, and the numbers of the acceptance items (docs/onvif.md) that it provokes."""
    rows = [(quirk.name if quirk.default is None else f"{quirk.name}={quirk.default:g}", quirk) for quirk in KNOWN]
    width = max(len(name) for name, _ in rows)
    return "".join(f"{name:<{width}}  {quirk.does} ({', '.join(map(str, quirk.items))})\n" for name, quirk in rows)


async def _run(chosen: argparse.Namespace, recording: Path) -> None:
    camera = SimulatedCamera(
        recording,
        sub=chosen.sub,
        ports=Ports(chosen.host, chosen.http_port, chosen.rtsp_port, chosen.discovery_port),
        username=chosen.username,
        password=_password(chosen.password_file),
        loop=chosen.loop,
        quirks=chosen.quirk,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if chosen.exit_with_parent:
        _watch_parent(stop)
    async with camera:
        sys.stdout.write(f"ready {camera.onvif_url} {camera.rtsp_url}\n")
        sys.stdout.flush()
        await stop.wait()


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Give a readable text file whose first line is the password."
        raise PermanentError("cannot read the password file", where=str(file), remedy=remedy) from error


def _watch_parent(stop: asyncio.Event) -> None:
    """Set `stop` once stdin is at its end; a thread, because stdin may be of any kind."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), _READ_SIZE):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself meanwhile
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
