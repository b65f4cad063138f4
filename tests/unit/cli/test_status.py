"""What ``status`` and ``doctor`` say in one line about buttons and destinations."""

import pytest

from gateway.cli.status import brief, delivery_detail, device_detail


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (("not_heard", "", None, None), "nothing since the start of the gateway"),
        (("heard", "", "2026-11-26T08:00:00+00:00", 97.0), "heard last 2026-11-26T08:00:00+00:00, battery 97 %"),
        (("lost", "last_will", "2026-11-26T08:00:00+00:00", None), "last will, heard last 2026-11-26T08:00:00+00:00"),
        (("lost", "silent", None, None), "silent, never heard"),
    ],
)
def test_a_button(found: tuple[object, ...], said: str) -> None:
    assert device_detail(dict(zip(("state", "reason", "last_seen", "battery"), found, strict=True))) == said


@pytest.mark.parametrize(
    ("backlog", "error", "said"),
    [(0, "", ""), (1, "refused", "1 event waits: refused"), (2, "", "2 events wait")],
)
def test_a_destination(backlog: int, error: str, said: str) -> None:
    assert delivery_detail({"backlog": backlog, "error": error}) == said


def test_a_damaged_file_in_one_sentence() -> None:
    detail = "journal.db was damaged and is put aside as /s/journal.db.damaged-20261126T163000Z. The history is gone."
    assert brief(detail) == "journal.db was damaged and is put aside as /s/journal.db.damaged-20261126T163000Z."
    assert brief("It was cut.") == "It was cut."
