"""Where the simulated camera can look, and what moved it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Movement:
    """Presets and moves.

    Attributes:
        presets: names by token.
        moves: what was asked, in order: ``("preset", token)``, ``("move", "x,y")``, ``("stop", "")``.
    """

    presets: dict[str, str] = field(default_factory=lambda: {"1": "Gate", "2": "Yard"})
    moves: list[tuple[str, str]] = field(default_factory=list)
