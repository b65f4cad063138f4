"""SOAP as cameras really speak it: tolerant reading of replies and faults, writing of own requests.

Sources: SOAP 1.2 part 1 §5; ONVIF Core §5.8 (faults); OASIS UsernameToken Profile 1.1 §3.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape

from lxml import etree

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_REFERENCE = re.compile(rb"&#(x[0-9A-Fa-f]{1,8}|[0-9]{1,10});")
_TAG = re.compile(rb"<[A-Za-z][^<>]*>")
_QUOTED_OR_BARE = re.compile(rb"(\"[^\"]*\"|'[^']*')|=([^\s\"'<>/]+)")
_CHARACTERS = (range(0x9, 0xB), range(0xD, 0xE), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_AUTHORIZATION = re.compile(r"not.?authori[sz]ed|unauthori[sz]ed|authority failure|authenticat", re.IGNORECASE)


class NotSoapError(Exception):
    """What was answered is no SOAP envelope with something in it; the text says what it is instead."""


class FaultError(Exception):
    """The camera answered a fault.

    Attributes:
        subcodes: local names of the fault's codes, outermost first.
        reason: the camera's words.
    """

    def __init__(self, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.subcodes = subcodes
        self.reason = reason

    @property
    def is_about_credentials(self) -> bool:
        """Whether the fault says, by code or in words, that the sender is not authorised."""
        return any(_AUTHORIZATION.search(text) for text in (*self.subcodes, self.reason))


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """User name and password for WS-Security; the password is sent as a digest only."""

    username: str
    password: str

    def header(self, created: datetime) -> str:
        """The Security header's XML; `created` is the camera's time in UTC, sent in whole seconds with a Z."""
        stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = secrets.token_bytes(16)
        proof = hashlib.sha1(nonce + stamp.encode() + self.password.encode(), usedforsecurity=False).digest()
        return (
            f'<s:Security xmlns:s="{_SECURITY}" xmlns:u="{_UTILITY}"><s:UsernameToken>'
            f"<s:Username>{escape(self.username)}</s:Username>"
            f'<s:Password Type="{_DIGEST}">{base64.b64encode(proof).decode()}</s:Password>'
            f'<s:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</s:Nonce>'
            f"<u:Created>{stamp}</u:Created></s:UsernameToken></s:Security>"
        )


def request(operation: str, header: str = "") -> bytes:
    """An envelope around the XML texts of an operation and of header blocks."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{_ENVELOPE}">'
        f"<e:Header>{header}</e:Header><e:Body>{operation}</e:Body></e:Envelope>"
    ).encode()


def read_reply(content: bytes) -> etree._Element:
    """The envelope of a reply, broken XML repaired as far as it goes.

    Raises:
        NotSoapError: no envelope, or nothing in its body.
        FaultError: a fault, whatever the HTTP status was.
    """
    root = parse_xml(content)
    if root is None or local_name(root) != "Envelope":
        raise NotSoapError(_kind_of(content))
    body = next((child for child in root if local_name(child) == "Body"), None)
    answer = next((child for child in body if isinstance(child.tag, str)), None) if body is not None else None
    if answer is None:
        raise NotSoapError("an empty SOAP envelope")
    if local_name(answer) == "Fault":
        raise FaultError(_subcodes(answer), _reason(answer))
    return root


def parse_xml(content: bytes) -> etree._Element | None:
    """The root element; what is not well-formed is repaired first."""
    clean = content.replace(b"\x00", b"").strip()
    try:
        return etree.fromstring(clean, _parser(recover=False))
    except etree.XMLSyntaxError:
        legal = _REFERENCE.sub(_legal, clean)
        repaired = _TAG.sub(lambda tag: _QUOTED_OR_BARE.sub(_quoted, tag[0]), legal)
    try:
        root: etree._Element | None = etree.fromstring(repaired, _parser(recover=True))
    except etree.XMLSyntaxError:
        return None
    return root


def _legal(reference: re.Match[bytes]) -> bytes:
    """A reference to a character that XML 1.0 §2.2 allows; half a surrogate pair, as of an emoji, is none."""
    digits = reference[1]
    code = int(digits[1:], 16) if digits.startswith(b"x") else int(digits)
    return reference[0] if any(code in allowed for allowed in _CHARACTERS) else b"&#xFFFD;"


def _quoted(value: re.Match[bytes]) -> bytes:
    """An attribute's value in quotes, whether it had them or not."""
    return value[1] or b'="' + value[2] + b'"'


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        recover=recover, huge_tree=False, resolve_entities=False, no_network=True, remove_comments=True
    )


def _kind_of(content: bytes) -> str:
    start = content[:512].lstrip().lower()
    if not start:
        return "an empty answer"
    return "a web page" if start.startswith((b"<!doctype html", b"<html")) else "something that is no SOAP"


def local_name(element: etree._Element) -> str:
    """The local name; also of an element whose prefix was never declared."""
    return element.tag.rpartition("}")[2].rpartition(":")[2] if isinstance(element.tag, str) else ""


def descendants(element: etree._Element, name: str) -> list[etree._Element]:
    """All elements below of that local name, whatever their namespace is or whether they have one."""
    return [each for each in element.iter() if local_name(each) == name]


def outermost(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Elements of that local name, whatever their namespace is, but for those within one."""
    waiting = [element]
    while waiting:
        found = waiting.pop()
        if local_name(found) == name:
            yield found
        else:
            waiting += reversed(found)


def text_of(element: etree._Element, name: str) -> str:
    """The text of the first element below of that local name, stripped; empty if there is none."""
    found = next((each for each in element.iter() if local_name(each) == name), None)
    return "" if found is None else (found.text or "").strip()


def _subcodes(fault: etree._Element) -> tuple[str, ...]:
    """SOAP 1.2's Code/Value and Subcode/Value, or SOAP 1.1's faultcode."""
    texts = [part.text or "" for part in fault.iter() if local_name(part) in {"Value", "faultcode"}]
    return tuple(text.strip().rpartition(":")[2] for text in texts)


def _reason(fault: etree._Element) -> str:
    for part in fault.iter():
        if local_name(part) in {"Text", "faultstring"} and part.text and part.text.strip():
            return " ".join(part.text.split())[:200]
    return "a fault without a reason"
