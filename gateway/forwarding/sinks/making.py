"""The driver of a destination's entry, or one that says why there is none."""

from pydantic import SecretStr

from gateway.errors import PermanentError
from gateway.forwarding.sinks.port import Outcome, Sink, Verdict
from gateway.forwarding.sinks.webhook import WebhookSink
from gateway.settings import DestinationSettings
from gateway.storage import Stored


class UnusableSink:
    """Takes nothing: the events wait, and the destination fails with this reason until its entry is mended."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def deliver(self, stored: Stored) -> Outcome:
        """Try again later."""
        return Outcome(Verdict.RETRY, self._reason)

    async def close(self) -> None:
        """Nothing is open."""


def make_sink(destination: DestinationSettings) -> Sink:
    """The driver of an entry.

    Raises:
        PermanentError: its address, its secret or its CA file cannot be used; says which.
    """
    where = f"destinations.{destination.id}"
    secret = _secret_of(destination)
    try:
        return WebhookSink(
            destination.url,
            secrets=[secret] if secret else [],
            timeout_seconds=destination.timeout_seconds,
            ca_file=destination.ca_file,
        )
    except PermanentError as error:
        raise PermanentError(
            error.what, where=f"{where}.{_field_of(error, destination)}", remedy=error.remedy
        ) from None


def _field_of(error: PermanentError, destination: DestinationSettings) -> str:
    if "secret" in error.what:
        return "secret_file" if destination.secret_file is not None else "secret"
    return "ca_file" if "certificates" in error.what else "url"


def _secret_of(destination: DestinationSettings) -> str:
    if isinstance(destination.secret, SecretStr):
        return destination.secret.get_secret_value()
    if destination.secret_file is None:
        return ""
    where = f"destinations.{destination.id}.secret_file"
    try:
        found = destination.secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PermanentError(f"{destination.secret_file} cannot be read: {why}", where=where) from None
    if not found:
        remedy = "Write the secret into it, or leave secret_file out for a receiver that checks none."
        raise PermanentError(f"{destination.secret_file} is empty", where=where, remedy=remedy)
    return found
