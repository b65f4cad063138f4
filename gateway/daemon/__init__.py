"""The daemon: opens everything, runs it, closes it in reverse; the one composition root of the alarm house."""

from gateway.daemon.hooks import Hooks, Running
from gateway.daemon.house import run_house
from gateway.daemon.links import signin_link
from gateway.daemon.log import configure_log
from gateway.daemon.program import run_daemon, run_until_signal

__all__ = ["Hooks", "Running", "configure_log", "run_daemon", "run_house", "run_until_signal", "signin_link"]
