"""What of an address is a credential: user and password before the host, and what follows the path."""

import re
from itertools import takewhile

from pydantic_core import PydanticCustomError

_NO_PORT = re.compile(r":(?![0-9]+$)[^\]]*$")


def without_userinfo(url: object, remedy: str) -> object:
    """The address as it was given, unless it holds user or password (RFC 3986 §3.2.1).

    It stands before every other check of an address, so that none of them repeats a password.

    Raises:
        PydanticCustomError: ``url_credentials``; the text does not repeat them.
    """
    if isinstance(url, str) and _userinfo(url):
        raise PydanticCustomError("url_credentials", f"credentials do not belong in the url; {remedy}")
    return url


def without_password(url: object, remedy: str) -> object:
    """As `without_userinfo`, but a user's name alone may stand there.

    Raises:
        PydanticCustomError: ``url_credentials``; the text does not repeat them.
    """
    if isinstance(url, str) and ":" in _userinfo(url):
        raise PydanticCustomError("url_credentials", f"a password does not belong in the url; {remedy}")
    return url


def _userinfo(url: str) -> str:
    """What stands before the host: also a password that holds ``/``, ``?`` or ``#``, behind which no port is one."""
    rest = url.partition("://")[2]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    hidden = "@" not in authority and _NO_PORT.search(authority) is not None
    return (rest if hidden else authority).rpartition("@")[0]


def public_part(url: str) -> str:
    """Scheme, host and path: what anybody may read of an address.

    Query and fragment hold tokens and passwords; so does a part of the path with ``=`` in it, as in the addresses of
    some cameras (``rtsp://host/user=admin&password=…``). A recording's address is a path of this machine.
    """
    if url.startswith("file:"):
        return url
    scheme, mark, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    parts = rest.split("/")
    kept = list(takewhile(lambda part: "=" not in part, parts[1:]))
    ended = [""] if len(kept) < len(parts) - 1 else []
    return f"{scheme}{mark}{'/'.join([parts[0], *kept, *ended])}"
