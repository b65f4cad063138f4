"""Conditions that devices say again and again: only a change is a press, also across a restart of the gateway."""

from gateway.alarms.dialects.said import Action, Condition

_MOST_OF_A_DEVICE = 100


class ConditionBook:
    """The last known state of each condition, by device."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, bool]] = {}

    def remember(self, device: str, conditions: dict[str, bool]) -> None:
        """Take up what a former run knew."""
        self._known[device] = dict(conditions)

    def known(self, device: str) -> dict[str, bool]:
        """What is known of a device's conditions."""
        return dict(self._known.get(device, {}))

    def forget(self, device: str) -> None:
        """A device is gone."""
        self._known.pop(device, None)

    def knows(self, device: str, said: Condition) -> bool:
        """Whether a condition's state was known before."""
        return _key(said) in self._known.get(device, {})

    def change_of(self, device: str, said: Condition) -> Action | None:
        """The action that a condition's change is; None if it is as it was. An unknown one counts as not active."""
        was = self._known.get(device, {}).get(_key(said), False)
        if said.active == was:
            return None
        return Action(name=said.name, part=said.part, at=said.at, detail=said.detail)

    def note(self, device: str, said: Condition) -> None:
        """Remember a state, once what it means is stored."""
        known, key = self._known.setdefault(device, {}), _key(said)
        if key not in known and len(known) >= _MOST_OF_A_DEVICE:  # a device makes up inputs
            known.pop(next(iter(known)))
        known[key] = said.active


def _key(said: Condition) -> str:
    return f"{said.part}/{said.name}"
