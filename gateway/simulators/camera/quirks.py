"""What real cameras do wrong, as data: each quirk can be asked of the simulated camera by its name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Quirk:
    """A named deviation, what it does, and the value used when none is given (None: it takes no value)."""

    name: str
    does: str
    default: float | None = None


KNOWN = (
    Quirk("wrong-host", "every advertised address names a host that is not there, as behind NAT"),
    Quirk("http-digest", "SOAP needs HTTP Digest; refusals are a 401 with an HTML page, tokens are ignored"),
    Quirk("zulu-only", "refuses a token whose Created is not whole seconds with a Z"),
    Quirk("clock-off", "the camera's clock is ahead by so many seconds, and tokens are checked against it", 3600.0),
    Quirk("no-utc-time", "tells only its local time, with a POSIX zone"),
    Quirk("no-get-services", "does not know GetServices, only GetCapabilities"),
    Quirk("no-profiles", "has no media profile"),
    Quirk("empty-stream-uri", "answers GetStreamUri with status 500 and nothing"),
    Quirk("wrong-size", "profiles tell another size than the stream has"),
    Quirk("no-snapshot", "has no snapshot address"),
    Quirk("basic-snapshot", "the snapshot needs HTTP Basic"),
    Quirk("empty-snapshot", "the snapshot is an empty body with status 200"),
    Quirk("html-snapshot", "the snapshot is a web page with status 200"),
    Quirk("close-after-reply", "closes each connection after one reply without saying so"),
    Quirk("not-onvif", "answers every SOAP request with a web page and status 200"),
    Quirk("empty-body", "answers every SOAP request with an empty envelope"),
    Quirk("stack-trace", "answers every SOAP request with status 500 and a stack trace"),
    Quirk("undeclared-prefix", "faults use a namespace prefix that they do not declare"),
    Quirk("frozen", "accepts connections and never answers"),
    Quirk("stall", "video stops after so many seconds, RTCP goes on", 5.0),
    Quirk("stream-dies", "the RTSP connection is cut after so many seconds", 5.0),
)
_BY_NAME: Mapping[str, Quirk] = MappingProxyType({quirk.name: quirk for quirk in KNOWN})


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
        return name in self.values

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
