"""Where the embedded endpoint may listen."""

from gateway.errors import PermanentError
from gateway.settings import LOOPBACK, MqttSettings


def check_exposure(settings: MqttSettings) -> None:
    """Refuse an address that is not loopback for the plain listener; TLS has a listener of its own.

    Raises:
        PermanentError: it would take plain MQTT from outside.
    """
    if settings.mode == "embedded" and settings.host not in LOOPBACK:
        remedy = 'Use "127.0.0.1" there and [mqtt.tls] for the network, or mqtt.mode = "external".'
        raise PermanentError(f"plain MQTT on {settings.host} is refused", where="mqtt.host", remedy=remedy)
