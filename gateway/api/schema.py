"""Prints the OpenAPI document: ``python -m gateway.api.schema > docs/openapi.json``."""

import json
import sys

from gateway.api.app import create_app


def document() -> str:
    """The document as it is published, one stable text."""
    return json.dumps(create_app(None).openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
