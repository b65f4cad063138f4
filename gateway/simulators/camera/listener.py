"""A listening TCP port whose connections are named tasks of one owner."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_LINE_LIMIT = 64 * 1024
_GONE = (OSError, EOFError, asyncio.LimitOverrunError, ValueError)


async def listen(
    name: str, bound: socket.socket, serve: Serve, group: asyncio.TaskGroup, tls: ssl.SSLContext | None = None
) -> asyncio.Server:
    """Accept on the socket `bound`; each connection runs `serve` as a task of `group`.

    A connection that breaks or speaks nonsense ends alone; when `serve` returns the connection is closed.
    """

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = group.create_task(_guarded(serve, reader, writer), name=f"{name} connection")
        task.add_done_callback(lambda _done: writer.close())  # also of a task that was cancelled before it began

    return await asyncio.start_server(connected, sock=bound, limit=_LINE_LIMIT, ssl=tls)


async def _guarded(serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await serve(reader, writer)
        await writer.drain()
    except _GONE:
        writer.transport.abort()
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
