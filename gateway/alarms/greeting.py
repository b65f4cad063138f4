"""What a client and the endpoint agree on when it connects (§3.1, §3.2)."""

from gateway.alarms.packets import LEVEL_5, Connect
from gateway.alarms.properties import NOTHING, Properties
from gateway.alarms.reasons import Reason
from gateway.alarms.sessions import NEVER_EXPIRES
from gateway.events import Cause, because
from gateway.settings import MqttSettings

_LONGEST_ID = 256


def check_greeting(packet: Connect) -> tuple[Reason, Cause] | None:
    """Why a CONNECT is refused whoever sends it; None if it is not."""
    if packet.properties.authentication_method is not None:
        what = "enhanced authentication is not offered (§4.12)"
        return Reason.BAD_AUTHENTICATION_METHOD, because("bad_connect", what, reason="connect_authentication")
    if not packet.client_id and packet.protocol_level < LEVEL_5 and not packet.clean_session:
        what = "an empty client id needs a clean session (3.1.1 §3.1.3.1)"
        return Reason.CLIENT_ID_NOT_VALID, because("bad_connect", what, reason="connect_empty_id")
    if len(packet.client_id) > _LONGEST_ID:
        what = f"a client id of more than {_LONGEST_ID} characters"
        return Reason.CLIENT_ID_NOT_VALID, because("bad_connect", what, reason="connect_long_id", limit=_LONGEST_ID)
    return None


def expiry_of(packet: Connect) -> int:
    """Seconds that a session lives on without a connection (§3.1.2.11.2); in 3.1.1 for ever, or not at all."""
    if packet.protocol_level >= LEVEL_5:
        return packet.properties.session_expiry or 0
    return 0 if packet.clean_session else NEVER_EXPIRES


def greeting_of(packet: Connect, client_id: str, settings: MqttSettings, aliases: int) -> tuple[int, Properties]:
    """The keepalive that counts, in seconds (0: none), and what a client of MQTT 5 is told of this endpoint."""
    if packet.protocol_level < LEVEL_5:
        return packet.keepalive, NOTHING
    limit = settings.max_keepalive_seconds
    keepalive = packet.keepalive if 0 < packet.keepalive <= limit else limit
    return keepalive, Properties(
        assigned_client_id=client_id if not packet.client_id else None,
        server_keep_alive=keepalive if keepalive != packet.keepalive else None,
        receive_maximum=settings.max_inflight,
        topic_alias_maximum=aliases,
        maximum_packet_size=settings.max_packet_bytes,
    )
