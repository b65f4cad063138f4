"""The frame that every child program runs in: hardening, logs, the channels, the heartbeat and an orderly end."""

from gateway.vision.child.logs import configure_logs
from gateway.vision.child.program import run_child
from gateway.vision.child.role import Outlet, Role, UnexpectedMessageError

__all__ = ["Outlet", "Role", "UnexpectedMessageError", "configure_logs", "run_child"]
