"""SOAP 1.2 envelopes of the device's side: reading requests, writing replies and faults (ONVIF Core §5.8)."""

from dataclasses import dataclass
from html import escape

from lxml import etree

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
_NAMESPACES = (
    f'xmlns:env="{ENVELOPE}" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" '
    'xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" '
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" '
    'xmlns:tse="http://www.onvif.org/ver10/search/wsdl" '
    'xmlns:trp="http://www.onvif.org/ver10/replay/wsdl" '
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics" '
    'xmlns:acme="http://simulated.invalid/topics"'
)
_WSA = f' xmlns:wsa="{ADDRESSING}"'
_ERRORS = ' xmlns:ter="http://www.onvif.org/ver10/error"'


class SoapFault(Exception):  # noqa: N818 as SOAP's own word
    """A fault that the device answers.

    Args:
        code: ``Sender`` or ``Receiver``.
        subcodes: ONVIF's own, outermost first, for example ``("InvalidArgVal", "NoProfile")``.
        reason: in words.
    """

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason

    @property
    def status(self) -> int:
        """The HTTP status: 400 for the sender's faults, 500 for the device's (SOAP 1.2 part 2, table 20)."""
        return 400 if self.code == "Sender" else 500

    def encode(self, *, undeclared: bool = False) -> bytes:
        """The fault's envelope; `undeclared` leaves the prefix of the subcodes without its namespace, as a quirk."""
        inner = ""
        for subcode in reversed(self.subcodes):
            inner = f"<env:Subcode><env:Value>ter:{subcode}</env:Value>{inner}</env:Subcode>"
        body = (
            f"<env:Fault><env:Code><env:Value>env:{self.code}</env:Value>{inner}</env:Code>"
            f'<env:Reason><env:Text xml:lang="en">{escape(self.reason)}</env:Text></env:Reason>'
            f"{'<env:Detail><ter:Text/></env:Detail>' if undeclared else ''}</env:Fault>"
        )
        return _wrap(body, _WSA if undeclared else _ERRORS + _WSA)


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """One request: the operation's element and the whole header."""

    operation: etree._Element
    header: etree._Element | None

    @property
    def namespace(self) -> str:
        """The namespace of the operation: it names the service."""
        return etree.QName(self.operation).namespace or ""

    @property
    def name(self) -> str:
        """The operation's name."""
        return etree.QName(self.operation).localname

    def argument(self, name: str) -> str:
        """The text of the first argument of that name at any depth; empty if there is none."""
        return (self.operation.findtext(f".//{{*}}{name}") or "").strip()


def read(body: bytes) -> SoapRequest:
    """Parse a request.

    Raises:
        SoapFault: it is no SOAP 1.2 envelope with an operation.
    """
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        raise SoapFault("Sender", ("WellFormed",), "The request is not well-formed XML") from None
    operation = root.find(f"{{{ENVELOPE}}}Body/*")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or operation is None:
        raise SoapFault("Sender", ("WellFormed",), "The request is no SOAP 1.2 envelope with an operation")
    return SoapRequest(operation, root.find(f"{{{ENVELOPE}}}Header"))


def envelope(body: str, header: str = "", *, no_addressing: bool = False) -> bytes:
    """A reply's envelope around the XML texts; `no_addressing` leaves the prefix ``wsa`` undeclared, as a quirk."""
    return _wrap(body, "" if no_addressing else _WSA, header)


def broken(envelope: bytes) -> bytes:
    """An envelope as firmwares that paste texts together send it: NUL bytes, bad UTF-8, attributes without quotes."""
    return envelope.replace(b'fixed="true"', b"fixed=true").replace(b"Simulated Camera", b"Simulated Camera\xe9\x00")


def _wrap(body: str, more_namespaces: str, header: str = "") -> bytes:
    head = f"<env:Header>{header}</env:Header>" if header else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope {_NAMESPACES}{more_namespaces}>'
        f"{head}<env:Body>{body}</env:Body></env:Envelope>"
    ).encode()
