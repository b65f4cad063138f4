"""Reads which quirks a simulated camera is to have; what there are is data in `quirk_list`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.errors import PermanentError
from gateway.simulators.camera.quirk_list import KNOWN, Quirk

__all__ = ["KNOWN", "Quirk", "Quirks"]

_BY_NAME: Mapping[str, Quirk] = MappingProxyType({quirk.name: quirk for quirk in KNOWN})

_BY_METADATA = ("metadata-only", "metadata-unset", "metadata-silent", "metadata-gzip")


@dataclass(frozen=True, slots=True)
class Quirks:
    """The quirks that are switched on, with their values."""

    values: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, names: Iterable[str]) -> "Quirks":
        """Read ``NAME`` or ``NAME=NUMBER`` texts.

        Raises:
            PermanentError: a name is unknown, or a value is no number or not wanted.
        """
        return cls(dict(_parse_one(text) for text in names))

    def __contains__(self, name: str) -> bool:
        if name not in _BY_NAME:
            raise KeyError(f"no quirk has the name {name}")
        return name in self.values

    @property
    def metadata_only(self) -> bool:
        """Whether events come in the metadata track and by no other way."""
        return any(name in self for name in _BY_METADATA)

    def value(self, name: str) -> float | None:
        """The quirk's number, or None if it is off."""
        return self.values.get(name)


def _parse_one(text: str) -> tuple[str, float]:
    name, given, number = text.partition("=")
    quirk = _BY_NAME.get(name)
    if quirk is None:
        raise PermanentError(f"unknown quirk {name!r}", remedy=f"Known are: {', '.join(_BY_NAME)}.")
    if given and quirk.default is None:
        raise PermanentError(f"the quirk {name!r} takes no value", remedy=f"Write only {name}.")
    try:
        return name, float(number) if given else quirk.default or 0.0
    except ValueError:
        raise PermanentError(f"{number!r} is no number", where=name, remedy=f"Write {name}=5, for example.") from None
