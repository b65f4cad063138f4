"""Undoes what importing and constructing onvif-zeep does to the process: root logging, proxy variables, memory."""

import logging
import os
import sys
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


@contextmanager
def absent(name: str) -> Iterator[None]:
    """While the block imports, a package that another one takes if it is there is not, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as the import system has it for what must not be found
    try:
        yield
    finally:
        del sys.modules[name]
