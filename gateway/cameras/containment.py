"""Undoes what importing and constructing onvif-zeep does to the process: root logging and proxy variables."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("http_proxy", "https_proxy")


@contextmanager
def undone_side_effects() -> Iterator[None]:
    """Restore the root logger, the level of zeep's logger and the proxy variables when the block ends."""
    root, zeep = logging.getLogger(), logging.getLogger("zeep.client")
    handlers, levels = list(root.handlers), (root.level, zeep.level)
    variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        yield
    finally:
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
        root.setLevel(levels[0])
        zeep.setLevel(levels[1])
        os.environ.update(variables)
