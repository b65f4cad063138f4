"""WS-Discovery messages (WS-Discovery April 2005, as ONVIF Core §7 uses it), read as devices really send them."""

import uuid
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.soap import FaultError, NotSoapError, descendants, read_reply, text_of

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_NETWORK = "http://www.onvif.org/ver10/network/wsdl"
_SCOPE = "onvif://www.onvif.org/"
_MOST, _LONGEST = 16, 512


class Said(StrEnum):
    """What an announcement is."""

    MATCH = "ProbeMatch"
    HELLO = "Hello"
    BYE = "Bye"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one device says of itself.

    Attributes:
        endpoint: its endpoint reference, which stays when its address changes.
        addresses: of its device service, as it tells them.
        scopes: percent-decoded, without what all have in common, such as ``name/Gate``.
        relates_to: id of the probe that it answers; empty if it tells none.
    """

    said: Said
    endpoint: str
    addresses: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    relates_to: str = ""

    def scope(self, name: str) -> str:
        """The value of a scope such as ``name`` or ``hardware``; empty if there is none."""
        return next((each.partition("/")[2] for each in self.scopes if each.partition("/")[0] == name), "")


def probe() -> tuple[str, bytes]:
    """A message id, and the Probe that bears it; without scopes, because filters lose real cameras."""
    identity = f"urn:uuid:{uuid.uuid4()}"
    message = (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{_ENVELOPE}" xmlns:w="{_ADDRESSING}" '
        f'xmlns:d="{_DISCOVERY}" xmlns:dn="{_NETWORK}"><e:Header><w:MessageID>{identity}</w:MessageID>'
        "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        f"<w:Action>{_DISCOVERY}/Probe</w:Action></e:Header><e:Body><d:Probe>"
        "<d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    )
    return identity, message.encode()


def read_announcements(datagram: bytes) -> tuple[Announcement, ...]:
    """All announcements in a datagram, in either dialect; none if it is something else."""
    try:
        envelope = read_reply(datagram)
        relates_to = text_of(envelope, "RelatesTo")
        found = [(said, each) for said in Said for each in descendants(envelope, said.value)]
        return tuple(_announcement(said, each, relates_to) for said, each in found[:_MOST] if text_of(each, "Address"))
    except (NotSoapError, FaultError, UnicodeError):
        return ()


def _printable(text: str) -> str:
    """Without what would move a terminal's cursor or begin a new line."""
    return "".join(each for each in text if each.isprintable())


def _announcement(said: Said, element: Element, relates_to: str) -> Announcement:
    scopes = [_printable(unquote(each)) for each in text_of(element, "Scopes").split()]
    return Announcement(
        said=said,
        endpoint=text_of(element, "Address")[:_LONGEST].lower(),
        addresses=tuple(text_of(element, "XAddrs").split()[:_MOST]),
        scopes=tuple(each.removeprefix(_SCOPE)[:_LONGEST] for each in scopes if each.startswith(_SCOPE)),
        relates_to=relates_to,
    )
