"""A child's log: one JSON object a line on stderr, free of secrets, read by the parent."""

import json
import logging
import sys

from gateway.errors import redact


class JsonLines(logging.Formatter):
    """A record as JSON; structlog, which the parent has, would bring Rich and its own megabytes into each child.

    Args:
        worker: the child's name.
    """

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """One line with `event`, `level`, `logger`, `worker` and, of an error, `exception`."""
        entry = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "worker": self._worker,
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps({key: redact(value) for key, value in entry.items()}, ensure_ascii=False)


def configure_logs(worker: str) -> None:
    """Send everything that is logged to stderr as JSON lines (`JsonLines`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # They tell of each header or value that they cannot read with a traceback; the camera's state says what came of it.
    for library in ("urllib3", "zeep"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
