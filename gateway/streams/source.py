"""Where a stream comes from, with its credentials apart from the address."""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from gateway.errors import PermanentError

_SCHEMES = ("rtsp", "rtsps", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource:
    """A camera's stream or a recording.

    Attributes:
        url: ``rtsp://…``, ``rtsps://…`` or ``file:///recording.mp4``; credentials in it are ignored.
        username, password: put into the address, percent-encoded, only when it is opened.
        networks: where the address must lead to (`gateway.settings.may_be_camera`); None: anywhere.
        loop: play a recording again and again; without effect on a live stream.
        open_timeout_seconds: how long opening may take.
        read_timeout_seconds: how long a live stream may bring nothing; it also bounds `VideoStream.stop`.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    networks: tuple[str, ...] | None = None
    loop: bool = True
    open_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 8.0

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in _SCHEMES:
            raise PermanentError(
                "this is no address of a stream", where=self.label, remedy="Give rtsp://…, rtsps://… or file:///…"
            )

    @property
    def is_recording(self) -> bool:
        """Whether it is a file, played at its own pace."""
        return urlsplit(self.url).scheme == "file"

    @property
    def label(self) -> str:
        """The address without user name and password, for logs and people."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def address(self) -> str:
        """What the library is to open. Holds the password: never log it."""
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            return unquote(parts.path)
        host = parts.netloc.rpartition("@")[2]
        if self.username:
            # Unencoded, ':', '/', '@' or '#' in a password makes FFmpeg refuse the address (EINVAL).
            host = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@{host}"
        return urlunsplit(parts._replace(netloc=host))
