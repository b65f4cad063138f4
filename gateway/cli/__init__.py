"""The commands of ``campus-gateway``; data to stdout, the rest to stderr; 0 done, 1 failed, 2 wrong usage."""

from gateway.cli.main import app, main

__all__ = ["app", "main"]
