"""A simulated police platform, as far as the gateway speaks to one today: the same webhook, under its own name."""

from collections.abc import Sequence

from gateway.simulators.receiver import Misbehaviour, WebhookReceiver
from gateway.simulators.receiver_command import run_receiver

__all__ = ["Misbehaviour", "SimulatedPolice", "main"]
_PORT = 8710


class SimulatedPolice(WebhookReceiver):
    """The platform, in this process."""


def main(argv: Sequence[str]) -> int:
    """Run the platform as a command."""
    return run_receiver(argv, name="police", label="police 110 公安", port=_PORT)
