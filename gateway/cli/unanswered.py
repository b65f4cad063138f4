"""Why nobody answered, in the words of an installer."""

import httpx


def unanswered(error: Exception) -> str:
    """What a connection came to.

    Args:
        error: of httpx, of a socket, or of a body that is no JSON.
    """
    match error:
        case ConnectionRefusedError():
            return "nothing listens there"
        case httpx.ConnectError():
            return _unconnected(str(error))
        case TimeoutError() | httpx.TimeoutException():
            return "no answer in time"
        case OSError():
            return error.strerror or "the connection broke"
        case httpx.HTTPError():
            return "the connection broke"
        case _:
            return "what answers is no gateway"


def _unconnected(said: str) -> str:
    if "refused" in said:
        return "nothing listens there"
    return "its certificate is not of this site's authority" if "CERTIFICATE" in said else "no way to it"
