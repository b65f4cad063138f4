"""TLS of the endpoint: the server's certificate, and the name in a client's."""

import ssl
from typing import Any

from gateway.errors import PermanentError
from gateway.settings import MqttTlsSettings


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


def _said(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__


def common_name(certificate: Any) -> str | None:  # noqa: ANN401  # what ssl gives: nested tuples, or None
    """The CN of a client's certificate; None if it has shown none, "" if its subject has none or more than one."""
    if not certificate:
        return None
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return str(names[0]) if len(names) == 1 else ""
