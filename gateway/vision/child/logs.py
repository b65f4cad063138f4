"""A child's log: one JSON object a line on stderr, free of secrets, read by the parent."""

import logging
import sys
from typing import Any

import structlog

from gateway.errors import redact


def configure_logs(worker: str) -> None:
    """Send everything that is logged to stderr as JSON lines with `level`, `logger`, `worker` and `event`."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _named(worker),
            _redacted,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # They tell of each header or value that they cannot read with a traceback; the camera's state says what came of it.
    for library in ("urllib3", "zeep"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _named(worker: str) -> structlog.typing.Processor:
    def add_name(_logger: Any, _method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401  # structlog's signature
        return {**entry, "worker": worker}

    return add_name


def _redacted(_logger: Any, _method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401  # structlog's signature
    return {key: redact(value) if isinstance(value, str) else value for key, value in entry.items()}
