"""The exceptions of the project: every one names what, where and the remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors.redact import redact


class GatewayError(Exception):
    """The root of every error that the project raises on purpose.

    Args:
        what: what is wrong, in one clause.
        where: the file, key, device or address that it is wrong at; empty if there is none.
        remedy: what the reader can do about it; empty if nothing.
        code: a stable name of what is wrong, for programs and for other languages; the class's own if it is left out.
        figures: what the text of the code names, such as seconds.

    The text of the exception is redacted: no password or secret of a URL reaches a log through it.
    """

    code = ""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", code: str = "", **figures: str | float) -> None:
        self.what = redact(what)
        self.where = redact(where)
        self.remedy = redact(remedy)
        self.code = code or self.code
        self.figures = figures
        super().__init__(self._text())

    def _text(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}. {self.remedy}" if self.remedy else head


class TransientError(GatewayError):
    """Trying again later can succeed."""


class PermanentError(GatewayError):
    """Trying again cannot succeed before somebody changes something."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration: the file, the key in it (empty: the whole file), what is wrong and the remedy."""

    file: str
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.what}. {self.remedy}".rstrip()


class ConfigError(PermanentError):
    """The configuration cannot be used; `faults` holds every fault found, not the first only."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(redact(str(fault)) for fault in self.faults))
