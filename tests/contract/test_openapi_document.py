"""docs/openapi.json is what the interface really offers."""

from pathlib import Path

from gateway.api.schema import document

PUBLISHED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_published_document_is_the_interfaces_own() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == document(), (
        "docs/openapi.json is old. Run: .venv/bin/python -m gateway.api.schema > docs/openapi.json"
    )
