"""A simulated security office: a webhook receiver that prints what reaches it."""

from collections.abc import Sequence

from gateway.simulators.receiver import Misbehaviour, WebhookReceiver
from gateway.simulators.receiver_command import run_receiver

__all__ = ["Misbehaviour", "SimulatedOffice", "main"]
_PORT = 8700


class SimulatedOffice(WebhookReceiver):
    """The office, in this process."""


def main(argv: Sequence[str]) -> int:
    """Run the office as a command."""
    return run_receiver(argv, name="office", label="office 保卫处", port=_PORT)
