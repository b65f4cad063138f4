"""What relays of cameras were last told, so that a devices child that is started anew goes on with it."""

from dataclasses import replace

from gateway.wire import SwitchRelay

_REPEATED_SECONDS = 600.0


class RelayBook:
    """The last command for each relay; one that is long over is forgotten, since somebody else may use the relay."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[SwitchRelay, float]] = {}

    def note(self, command: SwitchRelay, now: float) -> None:
        """A relay is told something at the time `now` (s)."""
        until = now + (command.seconds if command.on else 0.0)
        self._told[(command.camera, command.relay)] = (command, until)

    def wanted(self, now: float) -> tuple[SwitchRelay, ...]:
        """What relays are to be told again at the time `now` (s): on for the rest of its time, or off."""
        self._told = {key: each for key, each in self._told.items() if now - each[1] < _REPEATED_SECONDS}
        return tuple(
            replace(command, on=command.on and until > now, seconds=max(until - now, 0.0))
            for command, until in self._told.values()
        )
