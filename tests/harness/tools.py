"""Tests that need a tool of the system skip with that reason; CI installs the tools and fails on such a skip."""

import shutil

import pytest


def needs(tool: str) -> pytest.MarkDecorator:
    """Skip where `tool` is not installed."""
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"needs the tool {tool}")
