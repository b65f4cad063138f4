"""An append is said to be done only if its row is there."""

import sqlite3
from datetime import UTC, datetime

import pytest

from gateway.events import ButtonPressed
from gateway.storage import StorageFailedError
from gateway.storage.insertion import Head, Insertion

COLUMNS = "position INTEGER PRIMARY KEY, id TEXT UNIQUE, type, source, severity, time_us, salt, body, hash"


def test_an_event_that_only_a_damaged_index_knows_is_not_said_to_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, head = sqlite3.connect(":memory:"), Head(0, bytes(32))
    connection.execute(f"CREATE TABLE event ({COLUMNS})")
    event = ButtonPressed(id="p", source="/site/east/button/b", subject="b", time=datetime.now(UTC), device="b")
    assert Insertion(head, event, b"{}")(connection).is_new
    monkeypatch.setattr("gateway.storage.insertion.find_event", lambda *_asked: None)
    with pytest.raises(StorageFailedError, match="does not have"):
        Insertion(head, event, b"{}")(connection)
    assert head.position == 1
    connection.close()
