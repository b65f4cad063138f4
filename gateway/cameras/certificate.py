"""Looks at the certificate that a camera shows, without trusting it."""

import hashlib
import socket
import ssl
from urllib.parse import urlsplit

from gateway.cameras.tracked import must_be_camera


def fingerprint_of(url: str, timeout_seconds: float, networks: tuple[str, ...] | None = None) -> str:
    """SHA-256 in lower-case hex of the certificate at an ``https`` address.

    Empty if none is shown in time, or if the address leads outside `networks`; None: anywhere.
    """
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent over this connection
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), timeout_seconds) as plain:
            must_be_camera(plain, networks)
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
                shown = secure.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(shown).hexdigest() if shown else ""
