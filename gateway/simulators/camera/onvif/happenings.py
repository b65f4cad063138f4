"""What happens at the simulated camera: states of inputs, motion and tampering, and who is told of their changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

INITIALIZED, CHANGED = "Initialized", "Changed"


@dataclass(frozen=True, slots=True)
class Happening:
    """One message of an event: where, what, when by the camera's clock; `value` None for a maker's own topic."""

    topic: str
    source: tuple[str, str]
    item: str
    active: bool | None
    at: datetime
    operation: str = CHANGED


@dataclass(slots=True)
class State:
    """A property's state."""

    topic: str
    source: tuple[str, str]
    item: str
    active: bool = False


MOTION = ("tns1:RuleEngine/CellMotionDetector/Motion", ("VideoSourceConfigurationToken", "source_config"), "IsMotion")
TAMPER = ("tns1:RuleEngine/TamperDetector/Tamper", ("VideoSourceConfigurationToken", "source_config"), "IsTamper")
STORAGE = ("tns1:Device/HardwareFailure/StorageFailure", ("Token", "disk0"), "Failed")


@dataclass(slots=True)
class Happenings:
    """All states, and those who listen.

    Args:
        now: the camera's clock.
        inputs: how many dry contacts it has, with tokens from ``1``.
        cut: ends all RTSP connections.
    """

    now: Callable[[], datetime]
    inputs: int = 2
    cut: Callable[[], None] = lambda: None
    states: dict[str, State] = field(default_factory=dict)
    _listeners: list[Callable[[Happening], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = {
            name: State(*what) for name, what in {"motion": MOTION, "tamper": TAMPER, "storage": STORAGE}.items()
        }
        for number in range(1, self.inputs + 1):
            source = ("InputToken", str(number))
            self.states[f"input/{number}"] = State("tns1:Device/Trigger/DigitalInput", source, "LogicalState")

    def set(self, name: str, *, active: bool) -> None:
        """Change a state: ``motion``, ``tamper``, ``storage``, ``input/1``; nothing is told if it is so already."""
        state = self.states[name]
        if state.active != active:
            state.active = active
            self._tell(self._happening(state, CHANGED))

    def say_again(self, name: str) -> None:
        """Tell a state as changed although it is as it was, as stuck detectors do."""
        self._tell(self._happening(self.states[name], CHANGED))

    def initial(self) -> list[Happening]:
        """All states as a new subscription is told them."""
        return [self._happening(state, INITIALIZED) for state in self.states.values()]

    def listen(self, listener: Callable[[Happening], None]) -> Callable[[], None]:
        """Be told of changes; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _happening(self, state: State, operation: str) -> Happening:
        return Happening(state.topic, state.source, state.item, state.active, self.now(), operation)

    def _tell(self, happening: Happening) -> None:
        for listener in tuple(self._listeners):
            listener(happening)
