"""TLS of the endpoint: its listener, the server's certificate, and the name in a client's."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from gateway.errors import PermanentError
from gateway.settings import MqttTlsSettings

_BACKLOG = 512
_PAUSE_SECONDS = 0.2
_log = logging.getLogger(__name__)


def server_context(settings: MqttTlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer with the certificate of the settings; clients' certificates are checked if there is a CA.

    Raises:
        PermanentError: a file cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        remedy = "Name a PEM certificate and its key, both readable by this user."
        raise PermanentError(
            f"cannot be used: {_said(error)}", where="mqtt.tls.certificate_file", remedy=remedy
        ) from None
    if settings.client_ca_file is not None:
        try:
            context.load_verify_locations(settings.client_ca_file)
        except (OSError, ssl.SSLError) as error:
            remedy = "Name the PEM certificate of the authority that signed the devices' certificates."
            raise PermanentError(
                f"cannot be used: {_said(error)}", where="mqtt.tls.client_ca_file", remedy=remedy
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED if settings.require_certificate else ssl.CERT_OPTIONAL
    return context


class TlsListener:
    """Accepts the connections of the TLS listener, so that each counts before its handshake and not behind it.

    Args:
        settings: where it listens.
        take: given the address and the socket of each.
    """

    def __init__(self, settings: MqttTlsSettings, take: Callable[[str, socket.socket], None]) -> None:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self._socket = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._take = take
        self._task = asyncio.get_running_loop().create_task(self._accept(), name="mqtt tls listener")
        self.port = int(self._socket.getsockname()[1])

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connected, peer = await loop.sock_accept(self._socket)
            except OSError as error:  # such as too many open files: those that are open will end
                _log.warning("MQTT TLS: cannot accept: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._take(str(peer[0]), connected)

    async def close(self) -> None:
        """Accept no more."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._socket.close()


def _said(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__


def common_name(certificate: Any) -> str | None:  # noqa: ANN401  # what ssl gives: nested tuples, or None
    """The CN of a client's certificate; None if it has shown none, "" if its subject has none or more than one."""
    if not certificate:
        return None
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return str(names[0]) if len(names) == 1 else ""
