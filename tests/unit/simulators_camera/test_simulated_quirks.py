"""Quirks are asked for by name."""

import pytest

from gateway.errors import PermanentError
from gateway.simulators.camera.quirks import KNOWN, Quirks


def test_every_quirk_can_be_switched_on_by_its_name() -> None:
    quirks = Quirks.parse(quirk.name for quirk in KNOWN)

    assert all(quirk.name in quirks for quirk in KNOWN)
    assert quirks.value("clock-off") == 3600


def test_a_value_replaces_the_default_and_an_absent_quirk_has_none() -> None:
    quirks = Quirks.parse(["stall=0.5"])

    assert quirks.value("stall") == 0.5
    assert quirks.value("stream-dies") is None
    assert "stream-dies" not in quirks


@pytest.mark.parametrize(
    ("text", "said"), [("stal", "unknown quirk 'stal'"), ("stall=x", "no number"), ("wrong-host=1", "takes no value")]
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        Quirks.parse([text])
