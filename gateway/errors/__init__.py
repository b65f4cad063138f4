"""What can go wrong, whether trying again helps, and how a text is freed of secrets."""

from gateway.errors.kinds import ConfigError, Fault, GatewayError, PermanentError, TransientError
from gateway.errors.redact import redact
from gateway.errors.words import counted

__all__ = ["ConfigError", "Fault", "GatewayError", "PermanentError", "TransientError", "counted", "redact"]
