"""Sessions, messages, retained messages and wills as they were when the process ended."""

import logging
import struct
from collections.abc import Callable

from gateway.alarms.records import MESSAGE, RECEIVED, RETAINED, SESSION, WILL, RecordBook
from gateway.alarms.retained import RetainedBook
from gateway.alarms.sessions import SessionBook
from gateway.alarms.wills import WillKeeper
from gateway.errors import GatewayError

_log = logging.getLogger(__name__)


async def restore_records(records: RecordBook, book: SessionBook, retained: RetainedBook, wills: WillKeeper) -> None:
    """Take back all that was kept, sessions before what is kept for them; what cannot be read is dropped and said."""
    restorers: dict[str, Callable[[str, int, bytes], None]] = {
        SESSION: lambda name, _number, body: book.restore_session(name, body),
        MESSAGE: book.restore_message,
        RECEIVED: book.restore_received,
        RETAINED: lambda name, _number, body: retained.restore(name, body),
        WILL: wills.restore,
    }
    kept = await records.load()
    for wanted, restore in restorers.items():
        for kind, name, number, body in kept:
            if kind != wanted:
                continue
            try:
                restore(name, number, body)
            except (GatewayError, ValueError, KeyError, TypeError, struct.error) as error:
                _log.error("a stored %s of %s cannot be read and is dropped: %s", kind, name[:64], error)
                records.remove(kind, name, number)
